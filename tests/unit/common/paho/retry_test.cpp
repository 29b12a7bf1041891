#include "common/paho/retry.hpp"

#include <gtest/gtest.h>

namespace sistem {
namespace {

using namespace std::chrono_literals;
using Seconds = Retry::Seconds;

const Deadline start = Deadline{} + 1000s;

/// All moments at which an attempt is made that always fails at once.
std::vector<Deadline> attempts(Retry& retry, Deadline first) {
  std::vector<Deadline> all{first};
  while (const auto next = retry.next(all.back())) {
    all.push_back(*next);
  }
  return all;
}

TEST(RetryTest, TheLastAttemptIsMadeAtTheLimit) {
  for (const double limit : {0.03, 0.3, 2.0, 3.0, 30.0}) {
    for (int run = 0; run < 20; ++run) {
      Retry retry{Seconds{limit}, Seconds{5}, start};
      const auto all = attempts(retry, start);
      EXPECT_EQ(all.back(), start + std::chrono::duration_cast<Deadline::duration>(Seconds{limit}));
      EXPECT_GE(retry.attempt_limit(), all.back() + 100ms);
      EXPECT_LE(retry.attempt_limit(), all.back() + 1s);
    }
  }
}

TEST(RetryTest, AnAttemptThatTookUntilTheLimitIsTheLast) {
  Retry retry{Seconds{2}, Seconds{5}, start};
  EXPECT_TRUE(retry.next(start + 1999ms));
  EXPECT_FALSE(retry.next(start + 2s));
  EXPECT_FALSE(retry.next(start + 2100ms));
}

TEST(RetryTest, WaitsDoubleUpToTheLongestWithJitter) {
  Retry retry{std::nullopt, Seconds{1}, start};
  EXPECT_EQ(retry.attempt_limit(), never);
  for (const double longest : {0.1, 0.2, 0.4, 0.8, 1.0, 1.0}) {
    const Seconds wait = *retry.next(start) - start;
    EXPECT_GE(wait.count(), longest / 2 - 1e-6);
    EXPECT_LE(wait.count(), longest + 1e-6);
  }
  retry.reset_delay();
  EXPECT_LE(Seconds(*retry.next(start) - start).count(), 0.1 + 1e-6);
}

TEST(RetryTest, ALimitThatIsRenewedCountsFromThere) {
  Retry retry{Seconds{2}, Seconds{5}, start};
  (void)attempts(retry, start);
  retry.renew_limit(start + 40s);
  EXPECT_EQ(attempts(retry, start + 40s).back(), start + 42s);
}

TEST(RetryTest, AWaitThatEndsBehindAnotherMomentIsNoAttempt) {
  Retry retry{std::nullopt, Seconds{100}};
  const auto before = std::chrono::steady_clock::now();
  EXPECT_FALSE(retry.wait({}, before + 10ms));
  EXPECT_GE(std::chrono::steady_clock::now(), before + 10ms);
  std::stop_source stopped;
  stopped.request_stop();
  EXPECT_FALSE(retry.wait(stopped.get_token()));
}

}  // namespace
}  // namespace sistem
