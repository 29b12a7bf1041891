#include "common/stamp.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace sistem {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::optional<Stamp> stamp_in(const Pairs& user_properties) {
  Message message{.topic = "a", .properties = {{3, 0, "text/plain"}}};
  for (const auto& [name, value] : user_properties) {
    message.properties.push_back({38, 0, value, name});
  }
  return stamp_of(message);
}

TEST(Stamp, IsItsNumberAndTimeAndPerhapsItsPublisher) {
  struct Row {
    Pairs properties;
    std::string publisher;
    std::uint64_t sequence;
    std::int64_t sent;
  };
  const Row table[] = {
      {{{"stamp-publisher", "p1"}, {"stamp-seq", "5"}, {"stamp-time", "1470818858000012345"}},
       "p1",
       5,
       1470818858000012345},
      {{{"stamp-time", "0"}, {"k", "v"}, {"stamp-seq", "0"}}, "", 0, 0},
      {{{"stamp-publisher", ""}, {"stamp-seq", "007"}, {"stamp-time", "1"}}, "", 7, 1},
      {{{"stamp-seq", "18446744073709551615"}, {"stamp-time", "9223372036854775807"}}, "", UINT64_MAX, INT64_MAX},
      {{{"stamp-seq", "1"}, {"stamp-time", "2"}, {"stamp-seq", "3"}, {"stamp-time", "4"}}, "", 3, 4},
      {{{"stamp-seq", "x"}, {"stamp-time", "2"}, {"stamp-seq", "3"}}, "", 3, 2},
  };
  for (const Row& row : table) {
    const auto stamp = stamp_in(row.properties);
    ASSERT_TRUE(stamp) << row.sequence;
    EXPECT_EQ(stamp->publisher, row.publisher);
    EXPECT_EQ(stamp->sequence, row.sequence);
    EXPECT_EQ(stamp->sent.time_since_epoch(), std::chrono::nanoseconds(row.sent));
  }
}

TEST(Stamp, IsNoneWithoutBothOrWithOneThatIsNoNumber) {
  const Pairs halves[] = {
      {},
      {{"stamp-seq", "1"}},
      {{"stamp-time", "1"}},
      {{"stamp-publisher", "p"}},
      {{"Stamp-Seq", "1"}, {"stamp-time", "1"}},
      {{"stamp-seq", "1"}, {"stamp_time", "1"}},
      {{"stamp-seq", "1"}, {"stamp-time", "1"}, {"stamp-seq", "x"}},
  };
  for (const Pairs& properties : halves) {
    EXPECT_FALSE(stamp_in(properties)) << testing::PrintToString(properties);
  }
  // The time is one since 1970: what is before would overflow where latency is reckoned.
  for (const char* wrong : {"", " 1", "1 ", "+1", "-1", "1.0", "1e3", "0x1", "eins", "18446744073709551616",
                            "-9223372036854775808", "1\n"}) {
    EXPECT_FALSE(stamp_in({{"stamp-seq", wrong}, {"stamp-time", "1"}})) << wrong;
    EXPECT_FALSE(stamp_in({{"stamp-seq", "1"}, {"stamp-time", wrong}})) << wrong;
  }
  EXPECT_FALSE(stamp_in({{"stamp-seq", "1"}, {"stamp-time", "9223372036854775808"}}));
}

TEST(Stamp, StandsInUserPropertiesOnly) {
  Message message{.topic = "a", .properties = {{3, 0, "1", "stamp-seq"}, {38, 0, "1", "stamp-time"}}};
  EXPECT_FALSE(stamp_of(message));
  message.properties[0].identifier = 38;
  EXPECT_TRUE(stamp_of(message));
}

}  // namespace
}  // namespace sistem
