#include "common/process/thread.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace sistem {
namespace {

using namespace std::chrono_literals;

struct Shared {
  std::mutex mutex;
  Condition changed;
  bool is_so = false;

  void make_so() {
    const std::scoped_lock lock(mutex);
    is_so = true;
    changed.notify_all();
  }
};

TEST(Condition, EndsWhenItHolds) {
  Shared shared;
  std::unique_lock lock(shared.mutex);
  std::jthread other([&] { shared.make_so(); });
  EXPECT_TRUE(shared.changed.wait(lock, {}, [&] { return shared.is_so; }));
  EXPECT_TRUE(lock.owns_lock());
}

TEST(Condition, EndsAtTheDeadlineAndNotBefore) {
  Shared shared;
  std::unique_lock lock(shared.mutex);
  const auto deadline = deadline_in(20ms);
  EXPECT_FALSE(shared.changed.wait_until(lock, {}, deadline, [&] { return shared.is_so; }));
  EXPECT_GE(std::chrono::steady_clock::now(), deadline);
  EXPECT_TRUE(lock.owns_lock());
}

TEST(Condition, EndsWhenAStopIsRequestedBeforeOrMeanwhile) {
  for (const bool before : {true, false}) {
    Shared shared;
    std::stop_source stop;
    if (before) {
      stop.request_stop();
    }
    std::unique_lock lock(shared.mutex);
    std::jthread stopper([&] { stop.request_stop(); });
    EXPECT_FALSE(shared.changed.wait(lock, stop.get_token(), [&] { return shared.is_so; }));
    EXPECT_TRUE(lock.owns_lock());
  }
}

TEST(Condition, WhatHoldsAlreadyCountsForMoreThanAStop) {
  Shared shared;
  shared.is_so = true;
  std::stop_source stop;
  stop.request_stop();
  std::unique_lock lock(shared.mutex);
  EXPECT_TRUE(shared.changed.wait(lock, stop.get_token(), [&] { return shared.is_so; }));
}

TEST(Condition, NoWakeUpIsLostHoweverOftenTwoWaitForEachOther) {
  Shared shared;
  std::jthread other([&] {
    for (int turn = 0; turn < 2000; ++turn) {
      std::unique_lock lock(shared.mutex);
      EXPECT_TRUE(shared.changed.wait(lock, {}, [&] { return shared.is_so; }));
      shared.is_so = false;
      lock.unlock();
      shared.changed.notify_all();
    }
  });
  for (int turn = 0; turn < 2000; ++turn) {
    std::unique_lock lock(shared.mutex);
    EXPECT_TRUE(shared.changed.wait(lock, {}, [&] { return !shared.is_so; }));
    shared.is_so = true;
    lock.unlock();
    shared.changed.notify_all();
  }
}

TEST(Condition, NoStopIsLostHoweverCloseItComes) {
  for (int turn = 0; turn < 500; ++turn) {
    Shared shared;
    std::stop_source stop;
    std::jthread stopper([&] { stop.request_stop(); });
    std::unique_lock lock(shared.mutex);
    EXPECT_FALSE(shared.changed.wait(lock, stop.get_token(), [&] { return shared.is_so; }));
  }
}

TEST(MutexOrder, IsCheckedInBuildsForDebugging) {
#if defined(NDEBUG)
  GTEST_SKIP() << "this is none";
#else
  Mutex first{1};
  Mutex second{2};
  {
    const Lock one(first);
    const Lock other(second);
  }
  const Lock other(second);
  EXPECT_DEATH(const Lock one(first), "a mutex of place 1 is locked by a thread that has one of place 2");
#endif
}

}  // namespace
}  // namespace sistem
