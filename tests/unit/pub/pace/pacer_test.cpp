#include "pub/pace/pacer.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace sistem {
namespace {

using namespace std::chrono_literals;

const Deadline run_start = Deadline{} + 1h;

Pace each(std::chrono::duration<double> interval) {
  Pace pace;
  pace.interval = interval;
  return pace;
}

/// A pacer that has started.
Pacer started(const Pace& pace, Missed missed = Missed::are_skipped) {
  Pacer pacer{pace, 1, missed};
  pacer.start(run_start);
  return pacer;
}

/// When the next message is due, seen from `now`, at which it then goes out or, if it is early, when it is due.
std::optional<std::chrono::nanoseconds> due(Pacer& pacer, std::chrono::nanoseconds now, const Waits& waits = {}) {
  const auto slot = pacer.next(run_start + now, waits);
  if (!slot) {
    return std::nullopt;
  }
  pacer.begin(*slot, std::max(slot->due, run_start + now));
  return slot->due - run_start;
}

TEST(Pacer, WithoutAPaceEveryMessageIsDueAtOnce) {
  Pacer pacer = started({});
  for (int message = 0; message < 1000; ++message) {
    EXPECT_EQ(due(pacer, message * 1s), message * 1s);
  }
  EXPECT_EQ(pacer.punctuality().lateness.count(), 0U);
  EXPECT_FALSE(pacer.punctuality().asked);
}

TEST(Pacer, TheFirstIsDueAtOnceAndAStopEndsTheWaitForTheSecond) {
  Pacer pacer{each(24h), 1, Missed::are_skipped};
  pacer.start(std::chrono::steady_clock::now());
  std::stop_source stop;
  EXPECT_TRUE(
      pacer.wait(*pacer.next(std::chrono::steady_clock::now()), std::chrono::steady_clock::now(), stop.get_token()));
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_FALSE(
      pacer.wait(*pacer.next(std::chrono::steady_clock::now()), std::chrono::steady_clock::now(), stop.get_token()));
}

TEST(Pacer, AStopComesBeforeAMessageThatIsDue) {
  std::stop_source stop;
  stop.request_stop();
  Pacer pacer = started({});
  EXPECT_FALSE(pacer.wait(*pacer.next(run_start), run_start, stop.get_token()));
}

TEST(Pacer, WhatAMessageCostsDoesNotAddUp) {
  Pacer pacer = started(each(10s));
  EXPECT_EQ(due(pacer, 0s), 0s);
  for (int message = 1; message < 360; ++message) {
    // Asked for when the one before has taken its time: up to an interval.
    EXPECT_EQ(due(pacer, (message - 1) * 10s + (message % 10) * 1s), message * 10s);
  }
  EXPECT_EQ(pacer.punctuality().skipped, 0U);
  EXPECT_DOUBLE_EQ(*pacer.punctuality().asked, 0.1);
}

TEST(Pacer, AnHourOfTwentyASecondEndsWhereItShould) {
  Pace pace;
  pace.rate = 20;
  pace.duration = 1h;
  Pacer pacer = started(pace);
  std::chrono::nanoseconds now{0};
  std::uint64_t messages = 0;
  // Each costs 15 ms, and each wait 2 ms too much.
  for (auto slot = pacer.next(run_start + now); slot; slot = pacer.next(run_start + now), ++messages) {
    ASSERT_EQ(slot->due - run_start, messages * 50ms);
    now = std::max(now, slot->due - run_start) + 2ms;
    pacer.begin(*slot, run_start + now);
    now += 15ms;
  }
  EXPECT_EQ(messages, 72'000U);
  EXPECT_EQ(pacer.punctuality().skipped, 0U);
  EXPECT_NEAR(static_cast<double>(pacer.punctuality().lateness.percentile(99).count()), 2'000'000, 20'000);
  EXPECT_EQ(pacer.end(), run_start + 1h);
}

TEST(Pacer, ALittleLatenessIsMadeUpForByTheSchedule) {
  for (const Missed missed : {Missed::are_skipped, Missed::move_the_rest}) {
    Pacer pacer = started(each(10s), missed);
    EXPECT_EQ(due(pacer, 0s), 0s);
    EXPECT_EQ(due(pacer, 15s), 10s);  // due at once
    EXPECT_EQ(due(pacer, 15s), 20s);  // and then on schedule
    EXPECT_EQ(pacer.punctuality().lateness.greatest(), 5s);
  }
}

TEST(Pacer, AMomentOfTheMachinesIsNoReasonToLeaveMessagesOut) {
  Pacer pacer = started(each(1ms));
  EXPECT_EQ(due(pacer, 0s), 0s);
  for (int message = 1; message < 30; ++message) {
    EXPECT_EQ(due(pacer, 20ms), message * 1ms);
  }
  EXPECT_EQ(pacer.punctuality().skipped, 0U);
}

TEST(Pacer, InAMeasurementMissedSlotsAreMadeUpForAndStayAsLateAsTheyAre) {
  Pace pace = each(10s);
  pace.duration = 100s;
  Pacer pacer = started(pace, Missed::are_made_up_for);
  ASSERT_TRUE(pacer.next(run_start));
  // A stall of 55 s, and the end of the run's time in the midst of another one.
  for (int slot = 1; slot <= 9; ++slot) {
    const Deadline now = run_start + (slot < 6 ? 55s : 300s);
    const auto next = pacer.next(now);
    ASSERT_TRUE(next) << slot;
    EXPECT_EQ(next->due, run_start + slot * 10s);
  }
  EXPECT_FALSE(pacer.next(run_start + 300s)) << "all slots of its time were sent";
  EXPECT_EQ(pacer.punctuality().skipped, 0U);
  EXPECT_FALSE(pacer.end()) << "nothing cuts it off";
}

TEST(Pacer, WhatIsMadeUpForCountsOnceByWhatItWasThatTookTheTime) {
  Pacer pacer = started(each(1s), Missed::are_made_up_for);
  ASSERT_TRUE(pacer.next(run_start));
  Waits waits{.broker = 50s, .source = 10s};
  for (int slot = 1; slot <= 65; ++slot) {  // in a burst that takes no time
    ASSERT_TRUE(pacer.next(run_start + 66s, waits));
  }
  EXPECT_EQ(pacer.punctuality().behind_broker, 50s);
  EXPECT_EQ(pacer.punctuality().behind_source, 10s);
  EXPECT_EQ(pacer.punctuality().behind_pub, 5s) << "the first of them was due at 1 s";
  ASSERT_TRUE(pacer.next(run_start + 66s, waits));  // on time again
  waits.broker += 4s;
  ASSERT_TRUE(pacer.next(run_start + 71s, waits));
  EXPECT_EQ(pacer.punctuality().behind_broker, 54s);
  EXPECT_EQ(pacer.punctuality().behind_pub, 5s);
}

TEST(Pacer, ABrokerThatIsALittleTooSlowForEachSlotIsWhatARunFallsBehindBy) {
  Pacer pacer = started(each(10ms), Missed::are_made_up_for);
  Waits waits;
  for (int slot = 0; slot < 1000; ++slot) {
    ASSERT_TRUE(pacer.next(run_start + slot * 15ms, waits));
    waits.broker += 15ms;
  }
  EXPECT_GE(pacer.punctuality().behind_broker, 4900ms);
  EXPECT_LE(pacer.punctuality().behind_broker, 5s);
  EXPECT_EQ(pacer.punctuality().behind_pub, 0s);
}

TEST(Pacer, SlotsThatAreMissedAreSkippedAndNotMadeUpForByABurst) {
  Pacer pacer = started(each(10s));
  EXPECT_EQ(due(pacer, 0s), 0s);
  EXPECT_EQ(due(pacer, 95s), 90s);   // the last that was due, at once
  EXPECT_EQ(due(pacer, 95s), 100s);  // and not at once again, eight times
  EXPECT_EQ(pacer.punctuality().skipped, 8U);
  EXPECT_EQ(pacer.punctuality().behind_pub, 85s);
}

TEST(Pacer, OfACountNothingIsSkippedButTheRestIsLater) {
  Pacer pacer = started(each(10s), Missed::move_the_rest);
  EXPECT_EQ(due(pacer, 0s), 0s);
  EXPECT_EQ(due(pacer, 95s), 10s);   // at once
  EXPECT_EQ(due(pacer, 95s), 105s);  // 85 s later than it was
  EXPECT_EQ(due(pacer, 105s), 115s);
  EXPECT_EQ(pacer.punctuality().skipped, 0U);
  EXPECT_EQ(pacer.punctuality().behind_pub, 85s);
  EXPECT_EQ(pacer.punctuality().lateness.greatest(), 85s);
}

TEST(Pacer, MovedOrNotTheRunsClockIsTheSchedules) {
  Pacer pacer = started(each(10s), Missed::move_the_rest);
  (void)pacer.next(run_start);
  (void)pacer.next(run_start + 95s);
  EXPECT_EQ(pacer.next(run_start + 95s)->moment.elapsed, 20s);
}

TEST(Pacer, WhatTheTimeWentToIsTold) {
  Pacer pacer = started(each(10s));
  (void)due(pacer, 0s);
  (void)due(pacer, 95s, {.broker = 60s, .source = 20s});
  EXPECT_EQ(pacer.punctuality().behind_broker, 60s);
  EXPECT_EQ(pacer.punctuality().behind_source, 20s);
  EXPECT_EQ(pacer.punctuality().behind_pub, 5s);
  (void)due(pacer, 100s, {.broker = 60s, .source = 20s});
  (void)due(pacer, 195s, {.broker = 260s, .source = 20s});  // never more than there was
  EXPECT_EQ(pacer.punctuality().behind_broker, 145s);
}

TEST(Pacer, ABurstIsDueTogether) {
  Pace pace = each(10s);
  pace.burst = 3;
  Pacer pacer = started(pace);
  std::vector<std::chrono::nanoseconds> all;
  for (int message = 0; message < 7; ++message) {
    all.push_back(*due(pacer, 0s));
  }
  EXPECT_EQ(all, (std::vector<std::chrono::nanoseconds>{0s, 0s, 0s, 10s, 10s, 10s, 20s}));
  EXPECT_EQ(pacer.punctuality().lateness.count(), 3U) << "of each burst once";
}

TEST(Pacer, TheRunEndsWithItsTime) {
  Pace pace = each(10s);
  pace.duration = 25s;
  Pacer pacer = started(pace);
  EXPECT_EQ(due(pacer, 0s), 0s);
  EXPECT_EQ(due(pacer, 0s), 10s);
  EXPECT_EQ(due(pacer, 10s), 20s);
  EXPECT_FALSE(due(pacer, 20s));
  EXPECT_EQ(pacer.end(), run_start + 25s);
}

TEST(Pacer, WithoutAPaceItEndsWithItsTimeToo) {
  Pace pace;
  pace.duration = 25s;
  Pacer pacer = started(pace);
  EXPECT_TRUE(due(pacer, 24s));
  EXPECT_FALSE(due(pacer, 25s));
}

TEST(Pacer, WhatIsStillDueWhenTheTimeIsOverWasSkipped) {
  Pace pace = each(10s);
  pace.duration = 100s;
  Pacer pacer = started(pace);
  EXPECT_EQ(due(pacer, 0s), 0s);
  EXPECT_FALSE(due(pacer, 200s));
  EXPECT_EQ(pacer.punctuality().skipped, 9U);
}

TEST(Pacer, ARampThatFallsToNothingEndsTheRun) {
  Pace pace;
  pace.ramp = Ramp{2, 0, 2s};
  Pacer pacer = started(pace);
  EXPECT_EQ(due(pacer, 0s), 0s);
  EXPECT_TRUE(due(pacer, 0s));
  EXPECT_EQ(due(pacer, 2s), 2s);
  EXPECT_FALSE(due(pacer, 2s));
}

TEST(Pacer, SpeedMakesTheRunsClockPassFaster) {
  Pace pace = each(10s);
  pace.duration = 1h;
  pace.speed.factor = 60;
  pace.clock_start = std::chrono::sys_days(std::chrono::year(2026) / 11 / 25);
  Pacer pacer = started(pace);
  (void)pacer.next(run_start);
  const auto slot = pacer.next(run_start);
  EXPECT_EQ(slot->due, run_start + 166'666'667ns);
  EXPECT_EQ(slot->moment.elapsed, 10s);
  EXPECT_EQ(slot->moment.wall, *pace.clock_start + 10s);
  EXPECT_EQ(pacer.end(), run_start + 1min);
  pacer.begin(*slot, slot->due);
  EXPECT_DOUBLE_EQ(*pacer.punctuality().asked, 6) << "of the world's seconds";
}

TEST(Pacer, AtMostSpeedNothingIsWaitedForAndNothingSkipped) {
  Pace pace = each(10s);
  pace.duration = 1h;
  pace.speed.at_most = true;
  Pacer pacer = started(pace);
  int messages = 0;
  for (auto slot = pacer.next(run_start + 5h); slot; slot = pacer.next(run_start + 5h), ++messages) {
    EXPECT_LE(slot->due, run_start + 5h);
    EXPECT_EQ(slot->moment.elapsed, messages * 10s);
  }
  EXPECT_EQ(messages, 360);
  EXPECT_EQ(pacer.punctuality().skipped, 0U);
  EXPECT_FALSE(pacer.end());
}

TEST(Pacer, ASourcesOwnTimesAreObeyedAtTheRunsSpeed) {
  Pace pace;
  pace.speed.factor = 2;
  Pacer pacer = started(pace, Missed::move_the_rest);
  EXPECT_EQ(pacer.next_at(0s, run_start)->due, run_start);
  const auto slot = pacer.next_at(10s, run_start);
  EXPECT_EQ(slot->due, run_start + 5s);
  EXPECT_EQ(slot->moment.elapsed, 10s);
  EXPECT_FALSE(pacer.next_at(10s, run_start)->is_new);
}

TEST(Pacer, ASourcesOwnTimesMoveWhereTheyAreMissed) {
  Pacer pacer = started({}, Missed::move_the_rest);
  (void)pacer.next_at(0s, run_start);
  EXPECT_EQ(pacer.next_at(1s, run_start + 3s)->due, run_start + 1s);  // at once
  EXPECT_EQ(pacer.next_at(2s, run_start + 3s)->due, run_start + 4s);  // and the rest 2 s later, not in a burst
  EXPECT_EQ(pacer.punctuality().behind_pub, 2s);
}

}  // namespace
}  // namespace sistem
