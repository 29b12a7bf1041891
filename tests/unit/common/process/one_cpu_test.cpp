#include "common/process/thread.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace sistem {
namespace {

cpu_set_t allowed(pid_t thread = 0) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  EXPECT_EQ(::sched_getaffinity(thread, sizeof cpus, &cpus), 0);
  return cpus;
}

TEST(OneCpu, AllThreadsStayOnOneAsLongAsItLives) {
  const cpu_set_t before = allowed();
  if (CPU_COUNT(&before) < 2) {
    GTEST_SKIP() << "there is but one CPU";
  }
  std::atomic<pid_t> other{0};
  const std::jthread thread([&](const std::stop_token& stop) {
    other = ::gettid();
    other.notify_one();
    std::atomic<bool> over{false};
    const std::stop_callback ends(stop, [&] {
      over = true;
      over.notify_one();
    });
    over.wait(false);
  });
  other.wait(0);
  for (const int which : {-1, 0, 1, CPU_COUNT(&before)}) {
    const OneCpu one{which};
    const cpu_set_t here = allowed();
    const cpu_set_t there = allowed(other);
    EXPECT_EQ(CPU_COUNT(&here), 1) << which;
    EXPECT_TRUE(CPU_EQUAL(&here, &there)) << which;
  }
  const cpu_set_t after = allowed();
  const cpu_set_t after_there = allowed(other);
  EXPECT_TRUE(CPU_EQUAL(&before, &after));
  EXPECT_TRUE(CPU_EQUAL(&before, &after_there));
}

TEST(OneCpu, OfSeveralProcessesEachGetsAnother) {
  const cpu_set_t before = allowed();
  if (CPU_COUNT(&before) < 2) {
    GTEST_SKIP() << "there is but one CPU";
  }
  cpu_set_t first;
  cpu_set_t second;
  {
    const OneCpu one{1};
    first = allowed();
  }
  {
    const OneCpu one{2};
    second = allowed();
  }
  EXPECT_FALSE(CPU_EQUAL(&first, &second));
}

}  // namespace
}  // namespace sistem
