#include "pub/stamper.hpp"

#include <gtest/gtest.h>

namespace sistem {
namespace {

using namespace std::chrono_literals;

const Stamp::Time wall{std::chrono::seconds(1'795'599'000)};
const Deadline steady{std::chrono::hours(5)};

TEST(Stamper, ItsTimeIsThatOfTheBeginningAndWhatHasPassedSince) {
  Stamper stamper{"p", ProtocolVersion::v5, {wall, steady}};
  Message message{.topic = "a", .payload = "x"};
  stamper.stamp(steady + 2s + 7ns, steady + 1s, message);
  const auto stamp = stamp_of(message);
  ASSERT_TRUE(stamp);
  EXPECT_EQ(stamp->publisher, "p");
  EXPECT_EQ(stamp->sequence, 1U);
  EXPECT_EQ(stamp->sent, wall + 2s + 7ns);
  EXPECT_EQ(stamp->due, wall + 1s);
}

TEST(Stamper, OnlyMqtt5HasItInProperties) {
  for (const ProtocolVersion version : {ProtocolVersion::v31, ProtocolVersion::v311}) {
    Message message{.topic = "a", .payload = "x"};
    Stamper{"p", version, {wall, steady}}.stamp(steady, std::nullopt, message);
    EXPECT_EQ(message.payload, "~stamp1 1 1795599000000000000 - 8cdc1683 p\nx");
    EXPECT_TRUE(message.properties.empty());
  }
  Message message{.topic = "a", .payload = "x"};
  Stamper{"p", ProtocolVersion::v5, {wall, steady}}.stamp(steady, std::nullopt, message);
  EXPECT_EQ(message.payload, "x");
  EXPECT_EQ(message.properties.size(), 4U);
}

TEST(Stamper, NumbersFromOneAndSaysAtTheEndHowMany) {
  Stamper stamper{"p", ProtocolVersion::v5, {wall, steady}};
  for (std::uint64_t number = 1; number <= 3; ++number) {
    Message message{.topic = "a/b", .payload = "x", .qos = 1, .retain = true};
    stamper.stamp(steady, std::nullopt, message);
    stamper.count_last();
    EXPECT_EQ(stamp_of(message)->sequence, number);
  }
  const Message last = stamper.end(steady + 1s);
  EXPECT_EQ(last.topic, "a/b");
  EXPECT_EQ(last.qos, 1);
  EXPECT_FALSE(last.retain);
  const auto end = stamp_end_of(last);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->count, 3U);
  EXPECT_EQ(end->sent, wall + 1s);
}

TEST(Stamper, WhatHasTheBrokerForgetStaysEmpty) {
  const Message clearing{.topic = "a", .retain = true};
  EXPECT_FALSE((Stamper{"p", ProtocolVersion::v311, {wall, steady}}.takes(clearing)));
  EXPECT_TRUE((Stamper{"p", ProtocolVersion::v5, {wall, steady}}.takes(clearing)));
  EXPECT_TRUE((Stamper{"p", ProtocolVersion::v311, {wall, steady}}.takes({.topic = "a"})));
}

}  // namespace
}  // namespace sistem
