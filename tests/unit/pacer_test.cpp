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
  Pacer pacer{10s};
  const Deadline start = pacer.next(Deadline{} + 1h);
  EXPECT_EQ(start, Deadline{} + 1h);
  for (int turn = 1; turn < 100; ++turn) {
    // Asked for when the turn before has taken its time: up to an interval, in turns.
    EXPECT_EQ(pacer.next(start + (turn - 1) * 10s + (turn % 10) * 1s), start + turn * 10s);
  }
}

TEST(Pacer, ALittleLatenessIsMadeUpForByTheSchedule) {
  Pacer pacer{10s};
  const Deadline start = pacer.next(Deadline{} + 1h);
  EXPECT_EQ(pacer.next(start + 15s), start + 10s);  // due at once
  EXPECT_EQ(pacer.next(start + 15s), start + 20s);  // and then on schedule
}

TEST(Pacer, ALateTurnIsNotMadeUpForByABurst) {
  Pacer pacer{10s};
  const Deadline start = pacer.next(Deadline{} + 1h);
  const Deadline late = start + 95s;
  EXPECT_EQ(pacer.next(late), late);        // due at once
  EXPECT_EQ(pacer.next(late), late + 10s);  // and not at once again, eight times
}

TEST(Pacer, AStopComesBeforeATurnThatIsDue) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(Pacer{0s}.wait(stop.get_token()));
}

}  // namespace
}  // namespace sistem
