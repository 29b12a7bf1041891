#include "sub/show/message_rate.hpp"

#include <gtest/gtest.h>

#include "tests/support/time_zone.hpp"

namespace sistem {
namespace {

using namespace std::chrono_literals;

const WallTime rate_start{12h + 30min};

TEST(MessageRate, SaysHowManyHaveComeAndHowFast) {
  const test::TimeZone zone{"UTC"};
  MessageRate rate{rate_start};
  EXPECT_FALSE(rate.has_news());
  for (int count = 0; count < 3; ++count) {
    rate.take({.topic = "a", .payload = "12345"});
  }
  EXPECT_TRUE(rate.has_news());
  EXPECT_EQ(rate.line(rate_start + 1s, 0), "12:30:01          3 messages      15 B        3.0/s     0 waiting\n");
  EXPECT_FALSE(rate.has_news());
  EXPECT_EQ(rate.line(rate_start + 2s, 7), "12:30:02          3 messages      15 B        0.0/s     7 waiting\n");
  for (int count = 0; count < 5000; ++count) {
    rate.take({.topic = "a", .payload = std::string(1000, 'x')});
  }
  EXPECT_EQ(rate.line(rate_start + 4s, 1000), "12:30:04       5003 messages    5.0 MB     2500.0/s  1000 waiting\n");
}

TEST(MessageRate, ForWhoKnowsMosquittoSubSaysNothingButTheNumber) {
  MessageRate rate{rate_start};
  rate.take({.topic = "a"});
  rate.take({.topic = "a"});
  EXPECT_EQ(rate.bare_line(rate_start + 1s), "2\n");
  EXPECT_EQ(rate.bare_line(rate_start + 2s), "0\n");
}

}  // namespace
}  // namespace sistem
