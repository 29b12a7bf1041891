#include "sub/show/time_of_day.hpp"

#include <fmt/format.h>

#include <ctime>

namespace sistem {

std::string time_of_day(WallTime time) {
  const std::time_t count = std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time));
  std::tm local{};
  localtime_r(&count, &local);
  return fmt::format("{:02}:{:02}:{:02}", local.tm_hour, local.tm_min, local.tm_sec);
}

std::string time_of_day_with_milliseconds(WallTime time) {
  const auto within = time - std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format("{}.{:03}", time_of_day(time),
                     std::chrono::duration_cast<std::chrono::milliseconds>(within).count());
}

}  // namespace sistem
