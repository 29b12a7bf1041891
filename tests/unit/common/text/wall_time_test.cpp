#include "common/text/wall_time.hpp"

#include <gtest/gtest.h>

namespace sistem {
namespace {

using namespace std::chrono_literals;

TEST(UtcTimeOf, TakesADayATimeAndFractions) {
  const auto day = std::chrono::sys_days(std::chrono::year(2026) / 11 / 25);
  EXPECT_EQ(utc_time_of("2026-11-25"), day);
  EXPECT_EQ(utc_time_of("2026-11-25T08:00"), day + 8h);
  EXPECT_EQ(utc_time_of("2026-11-25T08:09:10"), day + 8h + 9min + 10s);
  EXPECT_EQ(utc_time_of("2026-11-25T08:09:10.25Z"), day + 8h + 9min + 10s + 250ms);
  EXPECT_EQ(utc_time_of("1970-01-01T00:00:00Z"), WallTime{});
  EXPECT_EQ(utc_time_of("1969-12-31T23:59:59.999999999Z"), WallTime{-1ns});
}

TEST(UtcTimeOf, RefusesWhatIsNone) {
  for (const char* text :
       {"", "now", "2026", "2026-13-01", "2026-02-30", "2026-11-25 08:00", "2026-11-25T25:00:00Z", "2026-11-25T08",
        "2026-11-25T08:00:60Z", "2026-11-25T08:00:00+01:00", "2026-11-25T-1:00", "2026-11-25T08:00:00.Z",
        "2026-11-25T08:00:00.1234567890Z", "2026-11-25T08:00.5Z", "9999-11-25"}) {
    EXPECT_EQ(utc_time_of(text), std::nullopt) << text;
  }
}

TEST(UtcTime, HasTheDecimalsThatAreAskedFor) {
  const WallTime time = std::chrono::sys_days(std::chrono::year(2026) / 11 / 25) + 8h + 9min + 10s + 12345678ns;
  EXPECT_EQ(utc_time(time, 0), "2026-11-25T08:09:10Z");
  EXPECT_EQ(utc_time(time, 3), "2026-11-25T08:09:10.012Z");
  EXPECT_EQ(utc_time(time, 9), "2026-11-25T08:09:10.012345678Z");
}

}  // namespace
}  // namespace sistem
