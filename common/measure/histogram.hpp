#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sistem {

/// How a great many durations are distributed, in constant memory: each power of two is cut into as many equal parts,
/// so that a percentile is at most 1 % off, from nanoseconds to centuries. The least and the greatest are exact.
class Histogram {
 public:
  /// One more; a negative one counts as 0.
  void record(std::chrono::nanoseconds value);

  /// All that another one has recorded.
  void merge(const Histogram& other);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::chrono::nanoseconds least() const { return std::chrono::nanoseconds(count_ == 0 ? 0 : least_); }
  [[nodiscard]] std::chrono::nanoseconds greatest() const { return std::chrono::nanoseconds(greatest_); }

  /// What so many of a hundred are not above: 50 is the median, 100 the greatest. 0 where nothing was recorded.
  [[nodiscard]] std::chrono::nanoseconds percentile(double percent) const;

  /// How many are not above that, as far as the parts tell them apart.
  [[nodiscard]] std::uint64_t count_up_to(std::chrono::nanoseconds value) const;

  /// As one word, for another process to merge; and back: nothing for what is no such word.
  [[nodiscard]] std::string to_text() const;
  [[nodiscard]] static std::optional<Histogram> from_text(std::string_view text);

 private:
  std::vector<std::uint64_t> counts_;  ///< by part, up to the last one that is used
  std::uint64_t count_ = 0;
  std::int64_t least_ = INT64_MAX;
  std::int64_t greatest_ = 0;
};

}  // namespace sistem
