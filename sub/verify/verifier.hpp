#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/measure/histogram.hpp"
#include "common/measure/stamp.hpp"
#include "common/mqtt/message.hpp"

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

/// How long messages took.
struct Latencies {
  Histogram from_sent;  ///< from the time that the stamp has to the arrival
  Histogram from_due;   ///< from when they should have been sent; of those alone that say so
  Histogram lateness;   ///< between the two: what they had to wait for before they were sent
  /// What a latency is judged by: from due where that is known, since what is held up is sent too late, and the time
  /// from there says nothing of it; else from sent.
  Histogram judged;
  double sum = 0;                 ///< of those from sent, in nanoseconds
  std::uint64_t before_sent = 0;  ///< arrived before they were sent, by the clocks of the two machines
  std::uint64_t in_step = 0;      ///< took about 40 ms
  std::uint64_t beside_step = 0;  ///< took somewhat less or somewhat more than that
  double differences = 0;         ///< of each from the one before it, without their signs, in nanoseconds
  std::uint64_t pairs = 0;

  /// `ahead`: so much the arrival's clock is taken to be ahead of the stamp's.
  void record(const Stamp& stamp, const Message& message, std::chrono::nanoseconds ahead = {});
  void merge(const Latencies& other);

  [[nodiscard]] std::chrono::nanoseconds mean() const;
  /// The mean of what two messages in a row of one publisher differ by.
  [[nodiscard]] std::chrono::nanoseconds jitter() const;
  /// Whether some took 40 ms and few anything near that: a delayed ACK of TCP that somebody waited for.
  [[nodiscard]] bool has_steps() const;

 private:
  std::optional<std::chrono::nanoseconds> last_;
};

/// What has come of one run of one publisher.
struct PublisherRun {
  std::string publisher;
  unsigned run = 1;  ///< a publisher that begins anew at 1 has another one
  Series series;
  Latencies latencies;
  std::uint64_t corrupted = 0;
  std::uint64_t bytes = 0;                 ///< of payloads
  std::optional<std::uint64_t> announced;  ///< so many it has said that there are
  std::optional<ClockOffset> clock;        ///< of our clock, as it has found it out
  Stamp::Time last_sent;
  std::chrono::steady_clock::time_point first_arrival;
  std::chrono::steady_clock::time_point last_arrival;
};

/// Looks at stamped messages as they arrive: whether one is missing, came twice, late or damaged, and how long each
/// took.
class Verifier {
 public:
  /// `subtracts`: latencies are by the publisher's clock, where it has found out how far ours is from it.
  explicit Verifier(bool subtracts = false) : subtracts_(subtracts) {}

  /// One message, with its stamp taken off the payload.
  void take(const Message& message);

  [[nodiscard]] bool subtracts() const { return subtracts_; }

  /// In the order in which they were first heard of.
  [[nodiscard]] const std::vector<PublisherRun>& runs() const { return runs_; }
  /// How many had no stamp that could be read.
  [[nodiscard]] std::uint64_t unstamped() const { return unstamped_; }
  /// Messages with a stamp, those that came twice among them.
  [[nodiscard]] std::uint64_t taken() const { return taken_; }

  /// Whether that many publishers, and all that were heard of, have said that they have ended; and whether nothing is
  /// missing of what they announced.
  [[nodiscard]] bool has_ended(std::size_t publishers) const;
  [[nodiscard]] bool is_complete() const;

 private:
  PublisherRun& run_of(const std::string& publisher, std::uint64_t number, Stamp::Time sent);

  bool subtracts_;
  std::vector<PublisherRun> runs_;
  std::map<std::string, ClockOffset> clocks_;
  std::map<std::string, std::size_t> current_;  ///< of each publisher: the place of its last run
  std::uint64_t unstamped_ = 0;
  std::uint64_t taken_ = 0;
};

}  // namespace sistem
