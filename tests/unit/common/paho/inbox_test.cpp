#include "common/paho/inbox.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sistem {
namespace {

using namespace std::chrono_literals;

Message message(std::string payload) { return {.topic = "t", .payload = std::move(payload)}; }

std::string payloads(const Inbox::Taken& taken) {
  std::string all;
  for (const Message& one : taken.messages) {
    all += one.payload;
  }
  return all;
}

TEST(Inbox, GivesWhatHasArrivedInOrderAndOnce) {
  Inbox inbox{Overflow::block};
  EXPECT_TRUE(inbox.empty());
  inbox.put(message("a"));
  inbox.put(message("b"));
  const auto taken = inbox.take();
  EXPECT_EQ(payloads(taken), "ab");
  EXPECT_EQ(taken.of_this_connection, 2U);
  EXPECT_TRUE(inbox.take().messages.empty());
}

TEST(Inbox, OfWhatCameOnAnEarlierConnectionTheWireKnowsNothing) {
  Inbox inbox{Overflow::block};
  inbox.put(message("a"));
  inbox.new_connection();
  inbox.put(message("b"));
  EXPECT_EQ(inbox.unknown_to_wire(), 1U);
  EXPECT_EQ(inbox.known_to_wire(), 1U);
  const auto taken = inbox.take();
  EXPECT_EQ(payloads(taken), "ab");
  EXPECT_EQ(taken.of_this_connection, 1U);
}

TEST(Inbox, ALimitCountsWhatIsTakenAndWhatWaitsFromBefore) {
  Inbox inbox{Overflow::block};
  EXPECT_FALSE(inbox.left_for_wire());
  inbox.limit(3);
  EXPECT_EQ(inbox.left_for_wire(), 3U);
  inbox.put(message("a"));
  inbox.new_connection();
  EXPECT_EQ(inbox.left_for_wire(), 2U) << "one of them waits here already";
  (void)inbox.take();
  EXPECT_EQ(inbox.left_for_wire(), 2U);
}

TEST(Inbox, WhatIsTooMuchIsDroppedAtTheEndThatWasChosen) {
  for (const auto& [overflow, first, last] :
       {std::tuple{Overflow::drop_oldest, 5, 1004}, {Overflow::drop_newest, 0, 999}}) {
    Inbox inbox{overflow};
    EXPECT_TRUE(inbox.drops());
    for (int number = 0; number < 1005; ++number) {
      inbox.put(message(std::to_string(number)));
    }
    EXPECT_EQ(inbox.dropped(), 5U);
    const auto taken = inbox.take();
    ASSERT_EQ(taken.messages.size(), 1000U);
    EXPECT_EQ(taken.messages.front().payload, std::to_string(first));
    EXPECT_EQ(taken.messages.back().payload, std::to_string(last));
    EXPECT_EQ(taken.of_this_connection, 0U) << "the wire was told at once";
  }
}

TEST(Inbox, OneLargeMessageIsAloneAndNotDropped) {
  Inbox inbox{Overflow::drop_oldest};
  inbox.put(message("a"));
  inbox.put(message(std::string(17 << 20, 'x')));
  EXPECT_EQ(inbox.dropped(), 1U);
  EXPECT_EQ(inbox.take().messages.size(), 1U);
}

TEST(Inbox, TheTimeOfArrivalNeverGoesBack) {
  Inbox inbox{Overflow::block};
  Message late = message("a");
  late.arrival_steady = std::chrono::steady_clock::time_point{5s};
  Message early = message("b");
  early.arrival_steady = std::chrono::steady_clock::time_point{4s};
  inbox.put(late);
  inbox.put(early);
  EXPECT_EQ(inbox.take().messages.back().arrival_steady, late.arrival_steady);
}

TEST(Inbox, KnowsWhichExchangesAreOpen) {
  Inbox inbox{Overflow::block};
  inbox.begin_exchange(1);
  inbox.begin_exchange(2);
  inbox.end_exchange(1);
  EXPECT_EQ(inbox.half_received(), std::set<std::uint16_t>{2});
  inbox.forget_session();
  EXPECT_TRUE(inbox.half_received().empty());
}

Message numbered(std::uint16_t id, int qos = 1) { return {.topic = "t", .payload = "x", .qos = qos, .packet_id = id}; }

TEST(Inbox, KnowsWhatIsNotWritten) {
  Inbox inbox{Overflow::block, Inbox::Counts::unwritten};
  inbox.put(numbered(1));
  inbox.put(numbered(0, 0));
  (void)inbox.take();
  inbox.put(numbered(2, 2));
  EXPECT_EQ(inbox.unwritten(), (std::set<std::uint16_t>{1, 2}));
  EXPECT_EQ(inbox.take_given(), std::vector<std::uint16_t>{1});
  EXPECT_EQ(inbox.unwritten(), std::set<std::uint16_t>{2});
  EXPECT_TRUE(inbox.take_given().empty());
}

TEST(Inbox, PacketIdsOfASessionThatIsGoneMeanNothing) {
  Inbox inbox{Overflow::block, Inbox::Counts::unwritten};
  inbox.put(numbered(1));
  (void)inbox.take();
  inbox.put(numbered(2));
  inbox.forget_session();
  inbox.put(numbered(1));
  EXPECT_EQ(inbox.unwritten(), std::set<std::uint16_t>{1});
  EXPECT_EQ(inbox.take().messages.size(), 2U);
  EXPECT_EQ(inbox.take_given(), std::vector<std::uint16_t>{1});
}

}  // namespace
}  // namespace sistem
