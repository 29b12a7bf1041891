#pragma once

#include <chrono>
#include <stop_token>

#include "common/stop.hpp"

namespace sistem {

/// When the next turn of the source is due: on an absolute schedule, so that what a turn costs does not add up.
class Pacer {
 public:
  /// The first turn is due at once, each further one `interval` after the one before. 0: always at once.
  explicit Pacer(std::chrono::nanoseconds interval) : interval_(interval) {}

  /// When the next turn is due, as seen from `now`, which may be later: then it is due at once. A turn that is late by
  /// more than an interval is not made up for by a burst: the schedule goes on from now.
  [[nodiscard]] Deadline next(Deadline now);

  /// Waits until the next turn is due; false where a stop was requested.
  [[nodiscard]] bool wait(const std::stop_token& stop);

 private:
  std::chrono::nanoseconds interval_;
  Deadline due_{};  ///< of the next turn; the clock's epoch: at once
};

}  // namespace sistem
