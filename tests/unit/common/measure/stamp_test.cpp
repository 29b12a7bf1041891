#include "common/measure/stamp.hpp"

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

TEST(Stamp, HasADueTimeWhereOneStandsBehindItsTime) {
  const std::pair<Pairs, std::optional<std::int64_t>> table[] = {
      {{{"stamp-seq", "1"}, {"stamp-time", "9"}}, std::nullopt},
      {{{"stamp-seq", "1"}, {"stamp-time", "9"}, {"stamp-due", "7"}}, 7},
      {{{"stamp-time", "9"}, {"stamp-due", "7"}, {"stamp-seq", "1"}}, 7},
      {{{"stamp-seq", "1"}, {"stamp-time", "9"}, {"stamp-due", "x"}}, std::nullopt},
      {{{"stamp-seq", "1"}, {"stamp-time", "9"}, {"stamp-due", "-1"}}, std::nullopt},
      // One that was published again, without a pace: the due time is that of the stamp before.
      {{{"stamp-seq", "1"}, {"stamp-time", "9"}, {"stamp-due", "7"}, {"stamp-seq", "4"}, {"stamp-time", "12"}},
       std::nullopt},
  };
  for (const auto& [properties, due] : table) {
    const auto stamp = stamp_in(properties);
    ASSERT_TRUE(stamp) << testing::PrintToString(properties);
    EXPECT_EQ(stamp->due.has_value(), due.has_value()) << testing::PrintToString(properties);
    if (stamp->due && due) {
      EXPECT_EQ(stamp->due->time_since_epoch(), std::chrono::nanoseconds(*due));
    }
  }
}

Stamp::Time at(std::int64_t nanoseconds) { return Stamp::Time{std::chrono::nanoseconds{nanoseconds}}; }

const Stamp stamps[] = {
    {"lab-pub", 17, at(1'795'599'000'123'456'789), {}},
    {"lab-pub", 18, at(1'795'599'000'123'456'789), at(1'795'599'000'123'000'000)},
    {"", 1, at(0), at(0)},
    {" two  blanks ", 2, at(1), {}},
    {"°C - ~stamp1", UINT64_MAX, at(INT64_MAX), at(INT64_MAX)},
    {std::string(65535, 'x'), 3, at(1), {}},
};
const std::string payloads[] = {"", "21.5", "\n", "a\nb\n", std::string("\0\xFF", 2), " ", "~stamp1 1 2 - - p\nx"};

void expect_same(const Stamp& stamp, const std::optional<Stamp>& read) {
  ASSERT_TRUE(read) << stamp.sequence;
  EXPECT_EQ(read->publisher, stamp.publisher);
  EXPECT_EQ(read->sequence, stamp.sequence);
  EXPECT_EQ(read->sent, stamp.sent);
  EXPECT_EQ(read->due, stamp.due);
}

TEST(Stamp, ThatIsWrittenIsRead) {
  for (const Stamp& stamp : stamps) {
    for (const std::string& payload : payloads) {
      Message with_properties{.topic = "a", .payload = payload, .properties = {{38, 0, "9", "stamp-seq"}}};
      put_stamp(stamp, StampPlace::properties, with_properties);
      expect_same(stamp, stamp_of(with_properties));
      EXPECT_EQ(with_properties.payload, payload);
      EXPECT_EQ(with_properties.properties.front().text, "9") << "the user's come first";

      Message with_prefix{.topic = "a", .payload = payload, .properties = {{38, 0, "v", "k"}}};
      put_stamp(stamp, StampPlace::payload, with_prefix);
      EXPECT_EQ(with_prefix.properties.size(), 1U);
      EXPECT_FALSE(stamp_of(with_prefix));
      take_stamp_off(with_prefix);
      EXPECT_EQ(with_prefix.payload, payload);
      expect_same(stamp, stamp_of(with_prefix));
    }
  }
}

TEST(Stamp, BeforeThePayloadIsALineOfText) {
  Message message{.topic = "a", .payload = "21.5"};
  put_stamp(stamps[0], StampPlace::payload, message);
  EXPECT_EQ(message.payload, "~stamp1 17 1795599000123456789 - 037bad9e lab-pub\n21.5");
  message.payload = "21.5";
  put_stamp(stamps[1], StampPlace::payload, message);
  EXPECT_EQ(message.payload, "~stamp1 18 1795599000123456789 1795599000123000000 037bad9e lab-pub\n21.5");
}

TEST(Stamp, WhatIsNoneStaysInThePayload) {
  const std::string table[] = {
      "",
      "21.5",
      "\n",
      "~stamp1",
      "~stamp1\n",
      "~stamp1 ",
      "~stamp1 1 2 - - p",  // no newline
      "~stamp1 1 2 - -\n",  // no publisher, not even an empty one
      "~stamp1 1 2 - p\n",
      "~stamp1 1 2\nx",
      " ~stamp1 1 2 - - p\n",
      "~Stamp1 1 2 - - p\n",
      "~stamp2 1 2 - - p\n",
      "~stamp11 1 2 - - p\n",
      "~stamp1  1 2 - - p\n",
      "~stamp1 1  2 - - p\n",
      "~stamp1\t1 2 - - p\n",
      "~stamp1 x 2 - - p\n",
      "~stamp1 -1 2 - - p\n",
      "~stamp1 +1 2 - - p\n",
      "~stamp1 1.0 2 - - p\n",
      "~stamp1 18446744073709551616 2 - - p\n",
      "~stamp1 1 -2 - - p\n",
      "~stamp1 1 9223372036854775808 - - p\n",
      "~stamp1 1 2 x - p\n",
      "~stamp1 1 2 -- - p\n",
      "~stamp1 1 2 -3 - p\n",
      "~stamp1 1 2 - x p\n",
      "~stamp1 1 2 - 037bad9 p\n",
      "~stamp1 1 2 - 037bad9e0 p\n",
      "~stamp1 == 2 - - p\n",
      "~stamp1 = 2 - - p\n",
      "~stamp1 1 2 - - p\r\n",
      "~stamp1 1 2 - - p\tq\n",
      std::string("~stamp1 1 2 - - p\0\n", 19),
      "~stamp1 1 2 - - " + std::string(65536, 'x') + "\n",
  };
  for (const std::string& payload : table) {
    Message message{.topic = "a", .payload = payload};
    take_stamp_off(message);
    EXPECT_EQ(message.payload, payload);
    EXPECT_TRUE(message.properties.empty()) << payload;
  }
}

TEST(Stamp, OfAStampedMessageThePayloadIsThePublishersOwn) {
  Message message{.topic = "a", .payload = "~stamp1 1 2 - - p\nx"};
  put_stamp(stamps[0], StampPlace::properties, message);
  take_stamp_off(message);
  EXPECT_EQ(message.payload, "~stamp1 1 2 - - p\nx");
  expect_same(stamps[0], stamp_of(message));
}

TEST(Stamp, OneIsTakenOffAtATime) {
  Message message{.topic = "a", .payload = "~stamp1 3 4 - - q\n~stamp1 1 2 - - p\nx"};
  take_stamp_off(message);
  EXPECT_EQ(message.payload, "~stamp1 1 2 - - p\nx");
  take_stamp_off(message);
  EXPECT_EQ(message.payload, "~stamp1 1 2 - - p\nx");
}

TEST(Stamp, SaysWhetherThePayloadIsTheOneThatWasStamped) {
  for (const StampPlace place : {StampPlace::properties, StampPlace::payload}) {
    for (const std::string& payload : payloads) {
      Message message{.topic = "a", .payload = payload};
      put_stamp(stamps[0], place, message);
      take_stamp_off(message);
      const auto stamp = stamp_of(message);
      ASSERT_TRUE(stamp && stamp->checksum);
      EXPECT_TRUE(is_intact(message, *stamp));
      message.payload += "x";
      EXPECT_FALSE(is_intact(message, *stamp));
      EXPECT_TRUE(is_intact(message, {"p", 1, at(1)})) << "one that does not say";
    }
  }
}

TEST(Stamp, TheLastMessageSaysHowManyThereWere) {
  for (const StampPlace place : {StampPlace::properties, StampPlace::payload}) {
    Message message{.topic = "a"};
    put_stamp_end({"lab pub", 10'000, at(7)}, place, message);
    EXPECT_EQ(message.payload, place == StampPlace::payload ? "~stamp1 =10000 7 - - lab pub\n" : "");
    take_stamp_off(message);
    EXPECT_EQ(message.payload, "");
    EXPECT_FALSE(stamp_of(message)) << "it is none of them";
    const auto end = stamp_end_of(message);
    ASSERT_TRUE(end);
    EXPECT_EQ(end->publisher, "lab pub");
    EXPECT_EQ(end->count, 10'000U);
    EXPECT_EQ(end->sent, at(7));
  }
  EXPECT_FALSE(stamp_end_of({.topic = "a"}));
  Message stamped{.topic = "a"};
  put_stamp(stamps[0], StampPlace::properties, stamped);
  EXPECT_FALSE(stamp_end_of(stamped));
}

}  // namespace
}  // namespace sistem
