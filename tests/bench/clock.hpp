#pragma once

#include <cstdint>
#include <ctime>

namespace sistem::bench {

/// Nanoseconds of a clock that all processes of a machine share and nobody sets.
[[nodiscard]] inline std::int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace sistem::bench
