#pragma once

#include <chrono>

namespace sistem {

/// When a turn is due on the run's schedule, which need not be when it happens: what is generated from it is the same
/// however late a turn is.
struct Moment {
  std::chrono::nanoseconds elapsed{0};           ///< since the schedule's first turn
  std::chrono::system_clock::time_point wall{};  ///< the time of day that goes with it
};

}  // namespace sistem
