#include "common/paho/window.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sistem {
namespace {

constexpr std::size_t no_limit = SIZE_MAX;

/// What goes out until nothing is left to send.
std::string sent(Window<char>& window) {
  std::string all;
  while (const auto next = window.next_to_send()) {
    all += next->message;
  }
  return all;
}

Window<char> window_of(const std::string& messages, int qos = 1) {
  Window<char> window{100, no_limit, {100, 100}};
  for (const char message : messages) {
    window.take(char{message}, qos);
  }
  return window;
}

TEST(Window, SendsEachMessageOnceAndInOrder) {
  auto window = window_of("abc");
  EXPECT_FALSE(window.all_sent());
  EXPECT_EQ(sent(window), "abc");
  EXPECT_TRUE(window.all_sent());
  window.take('d', 1);
  EXPECT_EQ(sent(window), "d");
}

TEST(Window, NumbersGrowAndNeverRepeat) {
  auto window = window_of("ab");
  EXPECT_EQ(window.next_to_send()->number, 0U);
  EXPECT_EQ(window.next_to_send()->number, 1U);
  window.acknowledge(0);
  window.acknowledge(1);
  window.take('c', 0);
  EXPECT_EQ(window.next_to_send()->number, 2U);
}

TEST(Window, HasRoomForSoManyInAllAndForFewerOfQos1And2) {
  Window<char> window{3, no_limit, {1, 1}};
  window.take('a', 1);
  EXPECT_FALSE(window.has_room(1));
  EXPECT_FALSE(window.has_room(2));
  EXPECT_TRUE(window.has_room(0));
  window.take('b', 0);
  window.take('c', 0);
  EXPECT_FALSE(window.has_room(0));
  window.acknowledge(0);
  EXPECT_TRUE(window.has_room(2));
}

TEST(Window, HasRoomUntilTheBytesAreTooMany) {
  Window<char> window{10, 100, {10, 10}};
  window.take('a', 1, 99);
  EXPECT_TRUE(window.has_room(1));
  window.take('b', 0, 5000);
  EXPECT_FALSE(window.has_room(0));
  window.acknowledge(0);
  EXPECT_FALSE(window.has_room(1));
  window.acknowledge(1);
  EXPECT_TRUE(window.has_room(1)) << "one alone may be of any size";
}

TEST(Window, MayHaveFewerOfQos2ThanOfBoth) {
  Window<char> window{10, no_limit, {3, 1}};
  window.take('a', 2);
  EXPECT_FALSE(window.has_room(2));
  window.take('b', 1);
  window.take('c', 1);
  EXPECT_FALSE(window.has_room(1));
  EXPECT_EQ(sent(window), "abc");
  window.acknowledge(1);
  EXPECT_TRUE(window.has_room(1));
  EXPECT_FALSE(window.has_room(2)) << "the one of QoS 2 is under way";
  window.acknowledge(0);
  EXPECT_TRUE(window.has_room(2));
}

TEST(Window, TheLimitOfQos2HoldsWhenAllIsSentAgain) {
  Window<char> window{10, no_limit, {5, 2}};
  window.take('a', 2);
  window.take('b', 2);
  window.take('c', 1);
  EXPECT_EQ(sent(window), "abc");
  window.send_again();
  window.limit_inflight({5, 1});
  EXPECT_EQ(sent(window), "a");
  EXPECT_TRUE(window.must_wait());
  window.acknowledge(0);
  EXPECT_FALSE(window.must_wait());
  EXPECT_EQ(sent(window), "bc");
}

TEST(Window, ALowerLimitHoldsBackWhatWasTakenBefore) {
  auto window = window_of("abcd");
  EXPECT_EQ(sent(window), "abcd");
  window.send_again();
  window.limit_inflight({2, 2});
  EXPECT_EQ(sent(window), "ab");
  EXPECT_TRUE(window.must_wait());
  EXPECT_FALSE(window.has_room(1));
  window.acknowledge(1);
  EXPECT_FALSE(window.must_wait());
  EXPECT_EQ(sent(window), "c");
  window.acknowledge(0);
  window.acknowledge(2);
  EXPECT_EQ(sent(window), "d");
  EXPECT_TRUE(window.all_sent());
  EXPECT_FALSE(window.must_wait());
  EXPECT_TRUE(window.has_room(1));
}

TEST(Window, AnAcknowledgementFromTheConnectionBeforeFreesNoPlaceOnThisOne) {
  Window<char> window{100, no_limit, {2, 2}};
  window.take('a', 1);
  window.take('b', 1);
  EXPECT_EQ(sent(window), "ab");
  window.send_again();
  window.limit_inflight({1, 1});
  window.acknowledge(0);  // before it went out again
  EXPECT_EQ(sent(window), "b");
  EXPECT_FALSE(window.has_room(1));
}

TEST(Window, OnANewConnectionWhatIsUnacknowledgedGoesOutAgainInOrder) {
  auto window = window_of("abcde");
  (void)sent(window);
  window.acknowledge(0);
  window.acknowledge(2);
  window.send_again();
  EXPECT_EQ(sent(window), "bde");
}

TEST(Window, CountsWhatIsUnacknowledgedThoughLaterOnesAre) {
  auto window = window_of("abc");
  window.acknowledge(2);
  EXPECT_EQ(window.unacknowledged(), 2U);
  window.acknowledge(0);
  window.acknowledge(1);
  EXPECT_EQ(window.unacknowledged(), 0U);
}

TEST(Window, AnAcknowledgementThatComesTwiceOrForNobodyIsPassedOver) {
  Window<char> window{2, no_limit, {2, 2}};
  window.take('a', 1);
  window.take('b', 1);
  window.acknowledge(1);
  window.acknowledge(1);
  window.acknowledge(7);
  EXPECT_EQ(window.unacknowledged(), 1U);
  window.acknowledge(0);
  window.acknowledge(0);
  EXPECT_EQ(window.unacknowledged(), 0U);
  EXPECT_TRUE(window.has_room(1));
}

TEST(Window, WhatIsBeingSentStaysThoughItIsAcknowledgedAndOthersAreTaken) {
  Window<std::string> window{2, no_limit, {2, 2}};
  window.take("a", 1);
  window.take("b", 1);
  (void)window.next_to_send();
  const auto sending = window.next_to_send();
  window.acknowledge(0);
  window.acknowledge(1);
  EXPECT_TRUE(window.has_room(1)) << "it takes no place any more";
  window.take("c", 1);
  window.take("d", 1);
  EXPECT_EQ(sending->message, "b");
  EXPECT_EQ(window.find(1), nullptr);
  EXPECT_EQ(window.next_to_send()->message, "c");
}

TEST(Window, KeepsNoMoreThanTheLastOfWhatIsAcknowledged) {
  Window<std::shared_ptr<int>> window{10, no_limit, {10, 10}};
  std::vector<std::weak_ptr<int>> all;
  for (std::uint64_t number = 0; number < 100; ++number) {
    auto message = std::make_shared<int>(1);
    all.emplace_back(message);
    window.take(std::move(message), 1);
    (void)window.next_to_send();
    window.acknowledge(number);
  }
  EXPECT_EQ(std::count_if(all.begin(), all.end(), [](const auto& one) { return !one.expired(); }), 2);
}

TEST(Window, AnAcknowledgementBeforeItIsSentIsHeeded) {
  // As after a loss: the first connection's word may come while the second is being made.
  auto window = window_of("ab");
  (void)sent(window);
  window.send_again();
  window.acknowledge(0);
  EXPECT_EQ(sent(window), "b");
  EXPECT_TRUE(window.all_sent());
}

}  // namespace
}  // namespace sistem
