#include "pub/pace/pacer.hpp"

#include <gtest/gtest.h>

#include <set>

namespace sistem {
namespace {

using namespace std::chrono_literals;
using Time = Schedule::Time;

Pace at_rate(double rate, std::uint64_t burst = 1, double jitter = 0) {
  Pace pace;
  pace.rate = rate;
  pace.burst = burst;
  pace.jitter = jitter;
  return pace;
}

Schedule ramp(double from, double to, std::chrono::duration<double> over, std::uint64_t burst = 1) {
  Pace pace;
  pace.ramp = Ramp{from, to, over};
  pace.burst = burst;
  return {pace, 0};
}

/// How many slots are due before that time.
std::uint64_t slots_before(const Schedule& schedule, Time time) { return schedule.reached(time - 1ns) + 1; }

TEST(Schedule, ARateIsKeptToTheNanosecondOverAnHour) {
  const Schedule schedule{at_rate(1000), 0};
  EXPECT_EQ(schedule.due(0), 0ns);
  EXPECT_EQ(schedule.due(1), 1ms);
  EXPECT_EQ(schedule.due(3'600'000), 1h);
  EXPECT_EQ(slots_before(schedule, 1h), 3'600'000U);
  // Where a spacing is no whole number of nanoseconds, each slot is at most half of one off, the last as the first.
  const Schedule thirds{at_rate(3), 0};
  EXPECT_EQ(thirds.due(1), 333'333'333ns);
  EXPECT_EQ(thirds.due(10'800), 1h);
  EXPECT_EQ(thirds.due(10'801), 1h + 333'333'333ns);
}

TEST(Schedule, AnIntervalLiesBetweenTwoSlots) {
  Pace pace;
  pace.interval = std::chrono::duration<double>(0.1);
  const Schedule schedule{pace, 0};
  EXPECT_EQ(schedule.due(36'000), 1h);
  pace.burst = 5;
  EXPECT_EQ(Schedule(pace, 0).due(36'000), 1h) << "the interval is that of bursts";
}

TEST(Schedule, ABurstKeepsTheMeanRate) {
  const Schedule schedule{at_rate(10, 5), 0};
  EXPECT_EQ(schedule.due(1), 500ms);
  EXPECT_EQ(slots_before(schedule, 10s) * 5, 100U);
}

TEST(Schedule, ARampSendsTheIntegralOfItsRate) {
  const Schedule up = ramp(0, 1000, 30s);
  EXPECT_EQ(up.due(0), 0ns);
  EXPECT_EQ(up.due(15'000), 30s);  // (0 + 1000) / 2 * 30
  EXPECT_EQ(up.due(3'750), 15s);   // a quarter of them in the first half
  EXPECT_EQ(up.due(16'000), 31s);  // and then it stays
  EXPECT_EQ(slots_before(up, 30s), 15'000U);

  const Schedule some = ramp(100, 300, 10s);
  EXPECT_EQ(some.due(2'000), 10s);
  EXPECT_EQ(some.due(750), 5s);  // 100 * 5 + 20 / 2 * 25
  EXPECT_EQ(some.due(2'300), 11s);

  const Schedule level = ramp(50, 50, 10s);
  EXPECT_EQ(level.due(500), 10s);
  EXPECT_EQ(level.due(250), 5s);
}

TEST(Schedule, ARampThatFallsToNothingEnds) {
  const Schedule down = ramp(100, 0, 10s);
  EXPECT_EQ(down.due(500), 10s);
  EXPECT_EQ(down.due(375), 5s);
  EXPECT_FALSE(down.due(501));
  EXPECT_EQ(down.reached(1h), 500U);
}

TEST(Schedule, ARampOfBurstsIsTheSameIntegral) { EXPECT_EQ(ramp(0, 1000, 30s, 10).due(1'500), 30s); }

TEST(Schedule, WhatIsReachedIsTheLastSlotThatIsDue) {
  for (const Schedule& schedule : {Schedule{at_rate(7), 0}, ramp(0, 20, 7s), ramp(20, 1, 7s), ramp(3, 3.5, 5s),
                                   Schedule{at_rate(7, 1, 1.0), 3}, Schedule{at_rate(1e6), 0}}) {
    for (std::uint64_t slot = 0; slot < 100; ++slot) {
      const Time due = *schedule.due(slot);
      EXPECT_GE(schedule.reached(due), slot);
      const Time next = *schedule.due(slot + 1);
      if (next > due) {
        EXPECT_EQ(schedule.reached(next - 1ns), slot);
      }
    }
  }
}

TEST(Schedule, JitterIsLateByAPartOfTheSpacingAndAddsNothingUp) {
  const Schedule even{at_rate(100), 1};
  const Schedule schedule{at_rate(100, 1, 0.1), 1};
  std::set<Time> shifts;
  Time sum{0};
  constexpr std::uint64_t slots = 36'000;
  for (std::uint64_t slot = 0; slot < slots; ++slot) {
    const Time shift = *schedule.due(slot) - *even.due(slot);
    ASSERT_GE(shift, 0ns);
    ASSERT_LE(shift, 1ms);
    sum += shift;
    if (slot < 1000) {
      shifts.insert(shift);
    }
  }
  EXPECT_GT(shifts.size(), 990U) << "they are not drawn anew each time";
  EXPECT_NEAR(static_cast<double>(sum.count()) / slots, 500'000, 10'000) << "they are not even";
}

TEST(Schedule, JitterIsThatOfItsSeed) {
  const Pace pace = at_rate(100, 1, 0.5);
  for (std::uint64_t slot = 0; slot < 100; ++slot) {
    EXPECT_EQ(Schedule(pace, 7).due(slot), Schedule(pace, 7).due(slot));
  }
  EXPECT_NE(Schedule(pace, 7).due(5), Schedule(pace, 8).due(5));
}

TEST(Schedule, JitterKeepsTheOrder) {
  const Schedule schedule{at_rate(1000, 1, 1.0), 5};
  for (std::uint64_t slot = 0; slot < 10'000; ++slot) {
    ASSERT_LE(*schedule.due(slot), *schedule.due(slot + 1)) << slot;
  }
}

}  // namespace
}  // namespace sistem
