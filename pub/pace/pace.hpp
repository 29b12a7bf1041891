#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/options/settings.hpp"

namespace sistem {

/// A rate that changes from one to another, in messages a second, and then stays.
struct Ramp {
  double from = 0;
  double to = 0;
  std::chrono::duration<double> over{0};
};

/// How much faster the run's clock goes than the world's.
struct Speed {
  double factor = 1;
  bool at_most = false;  ///< nobody waits for it at all
};

/// How a run is paced, as it was asked for. All times and rates are the run's own, which --speed makes pass faster.
struct Pace {
  // One of these at most; none: as fast as it goes.
  std::optional<double> rate;                             ///< messages a second
  std::optional<std::chrono::duration<double>> interval;  ///< between two messages
  std::optional<Ramp> ramp;

  std::uint64_t burst = 1;                           ///< so many messages at once
  double jitter = 0;                                 ///< part of the spacing that each is late at most, at random
  std::optional<std::chrono::nanoseconds> duration;  ///< after which the run ends
  Speed speed;
  std::optional<std::chrono::system_clock::time_point> clock_start;  ///< the run's time of day at its start

  [[nodiscard]] bool is_given() const { return rate || interval || ramp; }
};

/// When a turn is due on the run's schedule, which need not be when it happens: what is generated from it is the same
/// however late a turn is.
struct Moment {
  std::chrono::nanoseconds elapsed{0};           ///< since the schedule's first turn
  std::chrono::system_clock::time_point wall{};  ///< the time of day that goes with it
};

/// The rows of a pace in the table.
[[nodiscard]] std::vector<Option> pace_rows(Pace& pace);

}  // namespace sistem
