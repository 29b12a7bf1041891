#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace sistem {

/// Which of the messages have come that somebody has numbered from 1, in constant memory: of what is missing it knows
/// up to 10000 ranges. Where there are more, the lowest counts as lost for good.
class Series {
 public:
  /// What a message was.
  enum class Fate : std::uint8_t { in_order, late, duplicate };

  struct Range {
    std::uint64_t first;
    std::uint64_t last;
    bool operator==(const Range&) const = default;
  };

  /// The message with that number, which is not 0, has come.
  Fate take(std::uint64_t number);

  /// So many were sent: what is missing at the end is lost, too.
  void end(std::uint64_t count);

  [[nodiscard]] std::uint64_t highest() const { return highest_; }
  [[nodiscard]] std::uint64_t received() const { return received_; }  ///< each once
  [[nodiscard]] std::uint64_t lost() const { return lost_; }
  [[nodiscard]] std::uint64_t duplicated() const { return duplicated_; }
  [[nodiscard]] std::uint64_t reordered() const { return reordered_; }  ///< came after one with a higher number
  [[nodiscard]] std::uint64_t furthest() const { return furthest_; }    ///< how much higher that was, at the most

  /// The lowest ranges of what is lost, at most so many; one that is lost for good is not among them.
  [[nodiscard]] std::vector<Range> lost_ranges(std::size_t most) const;

 private:
  void miss(std::uint64_t first, std::uint64_t last);

  std::map<std::uint64_t, std::uint64_t> missing_;  ///< first and last of each range
  std::uint64_t highest_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t duplicated_ = 0;
  std::uint64_t reordered_ = 0;
  std::uint64_t furthest_ = 0;
};

}  // namespace sistem
