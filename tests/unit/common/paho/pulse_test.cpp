#include "common/paho/pulse.hpp"

#include <gtest/gtest.h>

namespace sistem {
namespace {

using namespace std::chrono_literals;

class PulseTest : public testing::Test {
 protected:
  PulseTest() { pulse_.keep_alive(10s); }

  Pulse::Finding at(Deadline::duration after, std::uint64_t queued = 0, bool has_unsent = false, bool reads = true) {
    return pulse_.examine({.now = begin_ + after,
                           .last_arrival = last_arrival_,
                           .reads = reads,
                           .has_unsent = has_unsent,
                           .is_in_packet = is_in_packet_,
                           .queued = [queued] { return queued; }});
  }
  void ping(Deadline::duration after) {
    pulse_.sent(2, begin_ + after);
    pulse_.pinged();
  }

  Deadline begin_{1000s};
  Deadline last_arrival_ = begin_;
  bool is_in_packet_ = false;
  Pulse pulse_{begin_};
};

TEST_F(PulseTest, ASilentBrokerIsPingedAndThenGivenUp) {
  EXPECT_EQ(at(14s).act, Pulse::Act::nothing);
  EXPECT_EQ(at(15s).act, Pulse::Act::ping);
  ping(15s);
  EXPECT_EQ(at(24s).act, Pulse::Act::nothing);
  const auto finding = at(25s);
  EXPECT_EQ(finding.act, Pulse::Act::give_up);
  EXPECT_EQ(finding.why, "no answer to a ping for 10 s");
}

TEST_F(PulseTest, OneThatAnswersAnythingLives) {
  pulse_.answered(begin_ + 12s);
  EXPECT_EQ(at(20s).act, Pulse::Act::nothing);
  ping(27s);
  pulse_.answered_ping();
  pulse_.answered(begin_ + 28s);
  EXPECT_EQ(at(40s).act, Pulse::Act::nothing);
}

TEST_F(PulseTest, WithoutAKeepAliveNothingIsGivenUp) {
  pulse_.keep_alive(0s);
  EXPECT_EQ(at(10000s).act, Pulse::Act::nothing);
}

TEST_F(PulseTest, ABrokerThatReadsNothingIsGivenUp) {
  pulse_.sent(100, begin_ + 5s);
  EXPECT_EQ(at(19s, 0, true).act, Pulse::Act::nothing);
  const auto finding = at(20s, 0, true);
  EXPECT_EQ(finding.act, Pulse::Act::give_up);
  EXPECT_EQ(finding.why, "the broker has read nothing for 15 s");
}

TEST_F(PulseTest, WhileNothingIsReadNoAnswerIsExpected) {
  EXPECT_EQ(at(100s, 0, false, false).act, Pulse::Act::nothing);
  EXPECT_EQ(at(110s).act, Pulse::Act::nothing);
}

TEST_F(PulseTest, APingThatIsOnItsWayThroughASlowNetworkIsWaitedFor) {
  pulse_.sent(1000, begin_);
  ping(15s);
  EXPECT_EQ(at(20s, 900).act, Pulse::Act::nothing);
  EXPECT_EQ(at(24s, 500).act, Pulse::Act::nothing) << "more has arrived there";
  EXPECT_EQ(at(30s, 500).act, Pulse::Act::nothing);
  EXPECT_EQ(at(34s, 500).act, Pulse::Act::give_up) << "nothing moves any more";
}

TEST_F(PulseTest, TheAnswerMayStandBehindALargeMessageThatBeganBefore) {
  pulse_.begun(begin_ + 14s);
  ping(15s);
  is_in_packet_ = true;
  last_arrival_ = begin_ + 30s;
  EXPECT_EQ(at(31s).act, Pulse::Act::nothing);
  EXPECT_EQ(at(41s).act, Pulse::Act::give_up) << "of that nothing comes any more either";
}

}  // namespace
}  // namespace sistem
