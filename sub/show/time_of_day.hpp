#pragma once

#include <chrono>
#include <string>

namespace sistem {

/// A moment on the wall clock.
using WallTime = std::chrono::system_clock::time_point;

/// As the clock on the wall shows it, in the process's time zone: 12:30:05, or with milliseconds 12:30:05.123.
[[nodiscard]] std::string time_of_day(WallTime time);
[[nodiscard]] std::string time_of_day_with_milliseconds(WallTime time);

}  // namespace sistem
