#include "pub/publisher.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <thread>

#include "tests/support/memory_session.hpp"
#include "tests/support/pipe.hpp"

namespace sistem {
namespace {

using test::MemorySession;

Message message(const std::string& payload) { return {"topic", payload}; }

/// A source of these turns.
Source turns(std::vector<std::vector<Message>> turns) {
  return [turns = std::move(turns), next = std::size_t{0}](const Moment&, const std::stop_token&) mutable {
    return next < turns.size() ? Turn{turns[next++]} : Turn{};
  };
}

class Publisher : public testing::Test {
 protected:
  Publisher() { config_.topic = "topic"; }
  ExitStatus publish(Source source) {
    Output output{pipe_.writer(), stop_.get_token()};
    Pacer pacer{config_.interval};
    return publish_all(session_, source, pacer, config_, output, Console{"pub", false}, stop_.get_token());
  }
  std::string printed() {
    pipe_.close_writer();
    return pipe_.read_to_end();
  }

  MemorySession session_;
  PubConfig config_;
  std::stop_source stop_;
  test::Pipe pipe_;
};

TEST_F(Publisher, PublishesEveryTurnInOrderAndEndsWithDisconnect) {
  EXPECT_EQ(publish(turns({{message("1"), message("2")}, {message("3")}})), ExitStatus::success);
  ASSERT_EQ(session_.published.size(), 3U);
  EXPECT_EQ(session_.published[0].payload, "1");
  EXPECT_EQ(session_.published[2].payload, "3");
  EXPECT_TRUE(session_.flushed);
  EXPECT_TRUE(session_.disconnected);
}

TEST_F(Publisher, PrintsReadingsAndNothingElse) {
  EXPECT_EQ(publish(turns({{message("1")}})), ExitStatus::success);
  EXPECT_EQ(printed(), "");
}

TEST_F(Publisher, PrintsEachReadingWithItsTopic) {
  config_.topic.reset();
  EXPECT_EQ(publish(turns({{{"sistem/cpu", "1.0 %"}, {"sistem/disk", "2.0 %"}}})), ExitStatus::success);
  EXPECT_EQ(printed(), "sistem/cpu 1.0 %\nsistem/disk 2.0 %\n");
}

TEST_F(Publisher, DropsReadingsOfATimeWithoutAConnection) {
  config_.topic.reset();
  session_.has_connection = false;
  EXPECT_EQ(publish(turns({{{"sistem/cpu", "1.0 %"}}})), ExitStatus::success);
  EXPECT_TRUE(session_.published.empty());
  EXPECT_EQ(printed(), "");
}

TEST_F(Publisher, KeepsLinesOfATimeWithoutAConnection) {
  session_.has_connection = false;
  EXPECT_EQ(publish(turns({{message("1")}})), ExitStatus::success);
  EXPECT_EQ(session_.published.size(), 1U);
}

TEST_F(Publisher, AStopBetweenTurnsIsAGoodEnd) {
  config_.interval = std::chrono::hours(1);
  const Source source = [&](const Moment&, const std::stop_token&) {
    stop_.request_stop();
    return Turn{std::vector{message("1")}};
  };
  EXPECT_EQ(publish(source), ExitStatus::success);
  EXPECT_EQ(session_.published.size(), 1U);
  EXPECT_TRUE(session_.disconnected);
}

TEST_F(Publisher, AStopWithMessagesInHandIsAFailure) {
  session_.room = 1;
  session_.stop_when_full = &stop_;
  EXPECT_EQ(publish(turns({{message("1"), message("2"), message("3")}})), ExitStatus::failure);
  EXPECT_TRUE(session_.disconnected);
}

TEST_F(Publisher, AStopBeforeTheAcknowledgementIsAFailure) {
  session_.unacknowledged = 1;
  EXPECT_EQ(publish(turns({{message("1")}})), ExitStatus::failure);
}

TEST_F(Publisher, AFaultOfTheInputLosesNothingThatWasAcceptedBefore) {
  const Source source = [first = true](const Moment&, const std::stop_token&) mutable {
    if (!std::exchange(first, false)) {
      throw UsageError("stdin:2: no message");
    }
    return Turn{std::vector{message("1")}};
  };
  EXPECT_THROW((void)publish(source), UsageError);
  EXPECT_EQ(session_.published.size(), 1U);
  EXPECT_TRUE(session_.flushed);
  EXPECT_TRUE(session_.disconnected);
}

TEST_F(Publisher, AClosedPipeEndsTheReadingsAfterDisconnect) {
  config_.topic.reset();
  pipe_.close_reader();
  EXPECT_THROW((void)publish(turns({{{"sistem/cpu", "1.0 %"}}})), OutputClosed);
  EXPECT_TRUE(session_.disconnected);
}

TEST_F(Publisher, AMessageIsRepeatedWithoutWaitingForItsAcknowledgement) {
  config_.repeat = 1000;
  EXPECT_EQ(publish(one_message({"topic", "payload", 1, true})), ExitStatus::success);
  ASSERT_EQ(session_.published.size(), 1000U);
  for (const Message& copy : session_.published) {
    EXPECT_EQ(copy.topic + " " + copy.payload, "topic payload");
    EXPECT_EQ(copy.qos, 1);
    EXPECT_TRUE(copy.retain);
  }
  EXPECT_EQ(session_.published_at_flush, std::vector<std::size_t>{1000});
}

TEST_F(Publisher, TheDelayLiesBetweenAnAcknowledgementAndTheNextRepeat) {
  config_.repeat = 4;
  config_.repeat_delay = std::chrono::milliseconds(5);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(publish(one_message(message("1"))), ExitStatus::success);
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(15));
  EXPECT_EQ(session_.published.size(), 4U);
  EXPECT_EQ(session_.published_at_flush, (std::vector<std::size_t>{1, 2, 3, 4}));
}

TEST_F(Publisher, NoDelayFollowsTheLastRepeat) {
  config_.repeat_delay = std::chrono::hours(1);
  EXPECT_EQ(publish(one_message(message("1"))), ExitStatus::success);
  EXPECT_EQ(session_.published.size(), 1U);
}

TEST_F(Publisher, AStopEndsTheDelayAndTheRepeatsAfterItAreMissed) {
  config_.repeat = 10;
  config_.repeat_delay = std::chrono::hours(1);
  std::jthread stopper([this] { stop_.request_stop(); });
  testing::internal::CaptureStderr();
  EXPECT_EQ(publish(one_message(message("1"))), ExitStatus::failure);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "pub: stopped: 9 messages were not published and acknowledged\n");
  EXPECT_TRUE(session_.disconnected);
}

TEST_F(Publisher, AStopEndsRepeatsThatHaveNoDelay) {
  config_.repeat = UINT64_MAX;
  std::jthread stopper([this] { stop_.request_stop(); });
  EXPECT_EQ(publish(one_message(message("1"))), ExitStatus::failure);
  EXPECT_TRUE(session_.disconnected);
}

TEST_F(Publisher, AStopWaitsForAcknowledgementsOnce) {
  config_.repeat = 10;
  config_.repeat_delay = std::chrono::hours(1);
  session_.unacknowledged = 1;
  testing::internal::CaptureStderr();
  EXPECT_EQ(publish(one_message(message("1"))), ExitStatus::failure);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "pub: stopped: 10 messages were not published and acknowledged\n");
  EXPECT_EQ(session_.published_at_flush, std::vector<std::size_t>{1});
}

TEST_F(Publisher, AStopThatComesFirstDoesNotLoseTheMessageOfTheCommand) {
  stop_.request_stop();
  EXPECT_EQ(publish(one_message(message("1"))), ExitStatus::success);
  EXPECT_EQ(session_.published.size(), 1U);
}

TEST_F(Publisher, AStopThatComesFirstTakesNoLines) {
  config_.lines = true;
  stop_.request_stop();
  EXPECT_EQ(publish(turns({{message("1")}})), ExitStatus::success);
  EXPECT_TRUE(session_.published.empty());
}

}  // namespace
}  // namespace sistem
