#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <random>
#include <stop_token>

#include "common/random.hpp"
#include "common/stop.hpp"

namespace sistem {

/// Attempts at something that may succeed later, until a limit of time. The first wait is of 0.1 s, each further one
/// twice as long, up to the longest; all with jitter, so that a restarted broker does not meet all its clients at the
/// same moment.
class Retry {
 public:
  using Seconds = std::chrono::duration<double>;

  Retry(const std::optional<Seconds>& limit, Seconds longest, Deadline at_most = never)
      : deadline_(std::min(limit ? deadline_in(*limit) : never, at_most)), longest_(longest) {}

  [[nodiscard]] Deadline deadline() const { return deadline_; }

  /// True where the next attempt is due; false where a stop was requested or the time is over before it.
  [[nodiscard]] bool wait(const std::stop_token& stop) {
    const Deadline due = deadline_in(next_delay());
    return due < deadline_ && sleep_until(due, stop);
  }

  /// How long the next wait would be.
  [[nodiscard]] Seconds next_delay() {
    const Seconds jittered = std::min(delay_, longest_) * std::uniform_real_distribution{0.5, 1.0}(random_);
    delay_ = std::min(delay_ * 2, longest_);
    return jittered;
  }

 private:
  Deadline deadline_;
  Seconds longest_;
  Seconds delay_{0.1};
  std::minstd_rand random_{random_seed()};
};

}  // namespace sistem
