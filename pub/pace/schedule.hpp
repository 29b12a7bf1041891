#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "pub/pace/pace.hpp"

namespace sistem {

/// When each slot of a run is due: the times at which a message, or a burst of them, goes out. Pure: a slot's time
/// depends on its number, the pace and the seed, and never on another slot, so that no error adds up.
class Schedule {
 public:
  using Time = std::chrono::nanoseconds;  ///< of the run's own clock, since its start

  /// Of a pace that is given: by a rate, an interval or a ramp.
  Schedule(const Pace& pace, std::uint64_t seed);

  /// When that slot is due, the first of which is 0; nothing: never, since the rate has fallen to 0 for good.
  [[nodiscard]] std::optional<Time> due(std::uint64_t slot) const;
  /// The same without jitter.
  [[nodiscard]] std::optional<Time> even_due(std::uint64_t slot) const;

  /// The last slot that is due by then; at least 0.
  [[nodiscard]] std::uint64_t reached(Time time) const;

  /// How long after that slot the next one is due, without jitter.
  [[nodiscard]] Time spacing(std::uint64_t slot) const;

 private:
  long double from_;  ///< the rate at the start, in slots a second
  long double to_;    ///< and after
  long double over_;  ///< so many seconds
  double jitter_;
  std::uint64_t seed_;
};

}  // namespace sistem
