#include "pub/pacer.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace sistem {
namespace {

using namespace std::chrono_literals;

TEST(Pacer, WithoutAnIntervalEveryTurnIsDueAtOnce) {
  Pacer pacer{0s};
  for (int turn = 0; turn < 1000; ++turn) {
    EXPECT_TRUE(pacer.wait({}));
  }
}

TEST(Pacer, TheFirstTurnIsDueAtOnceAndAStopEndsTheWaitForTheSecond) {
  Pacer pacer{24h};
  std::stop_source stop;
  EXPECT_TRUE(pacer.wait(stop.get_token()));
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_FALSE(pacer.wait(stop.get_token()));
}

TEST(Pacer, WhatATurnCostsDoesNotAddUp) {
  // On an absolute schedule ten intervals take ten intervals, also when each turn uses half of one.
  Pacer pacer{10ms};
  ASSERT_TRUE(pacer.wait({}));
  const auto start = std::chrono::steady_clock::now();
  for (int turn = 0; turn < 10; ++turn) {
    std::this_thread::sleep_for(5ms);
    ASSERT_TRUE(pacer.wait({}));
  }
  EXPECT_GE(std::chrono::steady_clock::now() - start, 99ms);
}

TEST(Pacer, ALateTurnIsNotMadeUpForByABurst) {
  Pacer pacer{20ms};
  ASSERT_TRUE(pacer.wait({}));
  std::this_thread::sleep_for(100ms);
  ASSERT_TRUE(pacer.wait({}));  // late, and due at once
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(pacer.wait({}));
  EXPECT_GE(std::chrono::steady_clock::now() - start, 15ms);  // and not at once again, four times
}

TEST(Pacer, AStopComesBeforeATurnThatIsDue) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(Pacer{0s}.wait(stop.get_token()));
}

}  // namespace
}  // namespace sistem
