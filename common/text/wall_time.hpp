#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace sistem {

/// A moment on the wall clock.
using WallTime = std::chrono::system_clock::time_point;

/// A moment in the process's time zone.
class LocalTime {
 public:
  explicit LocalTime(WallTime time);

  /// As strftime has it, in at most 99 bytes.
  [[nodiscard]] std::string formatted(const char* format) const;
  [[nodiscard]] std::int64_t nanoseconds() const { return nanoseconds_; }

  /// 2026-11-25T10:36:56.123456789+01:00 [ISO 8601, RFC 3339]
  [[nodiscard]] std::string in_full() const;

 private:
  std::tm local_{};
  std::int64_t nanoseconds_ = 0;
};

/// As a clock in the process's time zone shows it: 12:30:05, or with 3 decimals 12:30:05.123. At most 9 decimals.
[[nodiscard]] std::string time_of_day(WallTime time, std::size_t decimals = 0);

/// Appends the moment in UTC: 2026-11-25T09:36:56Z, or with 9 decimals 2026-11-25T09:36:56.123456789Z.
void append_utc_time(WallTime time, std::size_t decimals, std::string& out);
[[nodiscard]] std::string utc_time(WallTime time, std::size_t decimals);

/// Reads it back: with 1 to 9 decimals or none; seconds and the Z may be missing, and a date alone is its midnight.
/// Nothing for what is no such time, or lies beyond what 64 bits of nanoseconds can count.
[[nodiscard]] std::optional<WallTime> utc_time_of(std::string_view text);

}  // namespace sistem
