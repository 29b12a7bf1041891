#include "common/process/stop.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <thread>

#include "tests/support/pipe.hpp"

namespace sistem {
namespace {

using namespace std::chrono_literals;

using test::Pipe;

TEST(WaitFor, EndsWhenTheDescriptorIsReady) {
  const Pipe pipe;
  std::jthread writer([&] { pipe.write("x"); });
  EXPECT_EQ(wait_for(pipe.reader(), POLLIN, never, {}), Woken::ready);
}

TEST(WaitFor, EndsAtTheDeadlineAndNotBefore) {
  const Pipe pipe;
  const auto deadline = deadline_in(20ms);
  EXPECT_EQ(wait_for(pipe.reader(), POLLIN, deadline, {}), Woken::deadline);
  EXPECT_GE(std::chrono::steady_clock::now(), deadline);
}

TEST(WaitFor, EndsWhenAStopIsRequestedMeanwhile) {
  const Pipe pipe;
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_EQ(wait_for(pipe.reader(), POLLIN, never, stop.get_token()), Woken::stopped);
}

TEST(WaitFor, AStopThatWasRequestedBeforeComesFirst) {
  const Pipe pipe;
  pipe.write("x");
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(wait_for(pipe.reader(), POLLIN, never, stop.get_token()), Woken::stopped);
}

TEST(SleepUntil, TellsTheDeadlineFromAStop) {
  EXPECT_TRUE(sleep_until(deadline_in(1ms), {}));
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_FALSE(sleep_until(never, stop.get_token()));
}

TEST(DeadlineIn, FarFutureDoesNotOverflow) {
  EXPECT_GT(deadline_in(std::chrono::duration<double>(1e300)), std::chrono::steady_clock::now());
}

}  // namespace
}  // namespace sistem
