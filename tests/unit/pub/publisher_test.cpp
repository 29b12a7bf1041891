#include "pub/publisher.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/measure/stamp.hpp"
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
    Pacer pacer = pacer_of(config_);
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
  config_.lines = true;
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
  config_.lines = true;
  session_.has_connection = false;
  EXPECT_EQ(publish(turns({{message("1")}})), ExitStatus::success);
  EXPECT_EQ(session_.published.size(), 1U);
}

TEST_F(Publisher, AStopBetweenTurnsIsAGoodEnd) {
  config_.pace.interval = std::chrono::hours(1);
  const Source source = [&](const Moment&, const std::stop_token&) {
    stop_.request_stop();
    return Turn{std::vector{message("1")}};
  };
  EXPECT_EQ(publish(source), ExitStatus::success);
  EXPECT_EQ(session_.published.size(), 1U);
  EXPECT_TRUE(session_.disconnected);
}

TEST_F(Publisher, AStopWithMessagesInHandIsAFailure) {
  config_.lines = true;
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
  config_.lines = true;
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
  EXPECT_EQ(publish(messages({{"topic", "payload", 1, true}})), ExitStatus::success);
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
  EXPECT_EQ(publish(messages({message("1")})), ExitStatus::success);
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(15));
  EXPECT_EQ(session_.published.size(), 4U);
  EXPECT_EQ(session_.published_at_flush, (std::vector<std::size_t>{1, 2, 3, 4}));
}

TEST_F(Publisher, NoDelayFollowsTheLastRepeat) {
  config_.repeat_delay = std::chrono::hours(1);
  EXPECT_EQ(publish(messages({message("1")})), ExitStatus::success);
  EXPECT_EQ(session_.published.size(), 1U);
}

TEST_F(Publisher, AStopEndsTheDelayAndTheRepeatsAfterItAreMissed) {
  config_.repeat = 10;
  config_.repeat_delay = std::chrono::hours(1);
  std::jthread stopper([this] { stop_.request_stop(); });
  testing::internal::CaptureStderr();
  EXPECT_EQ(publish(messages({message("1")})), ExitStatus::failure);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "pub: stopped: 9 messages were not published and acknowledged\n");
  EXPECT_TRUE(session_.disconnected);
}

TEST_F(Publisher, AStopEndsRepeatsThatHaveNoDelay) {
  config_.repeat = 1'000'000'000'000'000;  // as many as the option takes
  std::jthread stopper([this] { stop_.request_stop(); });
  testing::internal::CaptureStderr();
  EXPECT_EQ(publish(messages({message("1")})), ExitStatus::failure);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            fmt::format("pub: stopped: {} messages were not published and acknowledged\n",
                        *config_.repeat - session_.published.size()));
  EXPECT_TRUE(session_.disconnected);
}

TEST_F(Publisher, AStopWaitsForAcknowledgementsOnce) {
  config_.repeat = 10;
  config_.repeat_delay = std::chrono::hours(1);
  session_.unacknowledged = 1;
  testing::internal::CaptureStderr();
  EXPECT_EQ(publish(messages({message("1")})), ExitStatus::failure);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "pub: stopped: 10 messages were not published and acknowledged\n");
  EXPECT_EQ(session_.published_at_flush, std::vector<std::size_t>{1});
}

TEST_F(Publisher, AStopThatComesFirstDoesNotLoseTheMessageOfTheCommand) {
  stop_.request_stop();
  EXPECT_EQ(publish(messages({message("1")})), ExitStatus::success);
  EXPECT_EQ(session_.published.size(), 1U);
}

TEST_F(Publisher, PrintsWhatItPublishesWhereItIsAskedTo) {
  config_.verbose = true;
  EXPECT_EQ(publish(messages({{"a/b", std::string("\xFF\0 bytes", 8)}})), ExitStatus::success);
  EXPECT_EQ(printed(), std::string("a/b \xFF\0 bytes\n", 13));
}

TEST_F(Publisher, WithAPaceOneMessageGoesOnUntilItsTimeIsOver) {
  config_.pace.rate = 10;
  config_.pace.duration = std::chrono::hours(1);
  config_.pace.speed.at_most = true;
  EXPECT_EQ(publish(messages({message("1")})), ExitStatus::success);
  EXPECT_EQ(session_.published.size(), 36'000U);
}

TEST_F(Publisher, WithAPaceAndACountItEndsWithTheCount) {
  config_.pace.rate = 1000;
  config_.repeat = 5;
  EXPECT_EQ(publish(messages({message("1")})), ExitStatus::success);
  EXPECT_EQ(session_.published.size(), 5U);
}

TEST_F(Publisher, EachLineOfATurnHasItsPace) {
  config_.lines = true;
  config_.pace.interval = std::chrono::milliseconds(5);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(publish(turns({{message("1"), message("2"), message("3")}})), ExitStatus::success);
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(10));
  EXPECT_EQ(session_.published.size(), 3U);
}

TEST_F(Publisher, MessagesOfOneTurnThatAreRepeatedHaveEachTheirPace) {
  config_.repeat = 2;
  config_.pace.interval = std::chrono::seconds(1);
  config_.pace.duration = std::chrono::seconds(3);
  config_.pace.speed.at_most = true;
  EXPECT_EQ(publish(turns({{message("1"), message("2")}})), ExitStatus::success);
  ASSERT_EQ(session_.published.size(), 3U) << "what is due at 3 s is after the end";
  EXPECT_EQ(session_.published[1].payload, "2");
  EXPECT_EQ(session_.published[2].payload, "1");
}

TEST_F(Publisher, TheTimeOfASourceIsObeyed) {
  config_.lines = true;
  const Source source = [turn = 0](const Moment&, const std::stop_token&) mutable {
    return turn == 3 ? Turn{} : Turn{{message("1")}, std::chrono::milliseconds(5 * turn++)};
  };
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(publish(source), ExitStatus::success);
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(10));
  EXPECT_EQ(session_.published.size(), 3U);
}

TEST_F(Publisher, TheMomentOfATurnIsThatOfItsSlot) {
  config_.topic.reset();
  config_.pace.interval = std::chrono::seconds(10);
  config_.pace.duration = std::chrono::seconds(30);
  config_.pace.speed.at_most = true;
  config_.pace.clock_start = std::chrono::sys_days(std::chrono::year(2026) / 11 / 25);
  std::vector<Moment> moments;
  const Source source = [&](const Moment& moment, const std::stop_token&) {
    moments.push_back(moment);
    return Turn{{message("1")}};
  };
  EXPECT_EQ(publish(source), ExitStatus::success);
  ASSERT_EQ(moments.size(), 3U);
  EXPECT_EQ(moments[2].elapsed, std::chrono::seconds(20));
  EXPECT_EQ(moments[2].wall, *config_.pace.clock_start + std::chrono::seconds(20));
}

TEST_F(Publisher, TheEndOfItsTimeIsAGoodEndOfACount) {
  config_.repeat = 1'000'000;
  config_.repeat_delay = std::chrono::hours(1);
  config_.pace.duration = std::chrono::milliseconds(30);
  testing::internal::CaptureStderr();
  EXPECT_EQ(publish(messages({message("1")})), ExitStatus::success);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(session_.published.size(), 1U);
}

TEST_F(Publisher, LinesThatTheEndOfItsTimeLeavesAreTold) {
  config_.lines = true;
  config_.pace.interval = std::chrono::hours(1);
  config_.pace.duration = std::chrono::milliseconds(30);
  config_.report = ReportFormat::json;
  testing::internal::CaptureStderr();
  EXPECT_EQ(publish(turns({{message("1"), message("2"), message("3")}})), ExitStatus::success);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "pub: time is up: 2 messages were read and not published\n");
  const auto report = nlohmann::json::parse(printed());
  EXPECT_EQ(report["sent"], 1);
  EXPECT_EQ(report["not_sent"], 2);
}

TEST_F(Publisher, TheEndOfItsTimeEndsTheWaitForASource) {
  config_.lines = true;
  config_.pace.duration = std::chrono::milliseconds(30);
  const Source source = [](const Moment&, const std::stop_token& stop) {
    (void)sleep_until(never, stop);
    return Turn{};
  };
  EXPECT_EQ(publish(source), ExitStatus::success);
}

TEST_F(Publisher, TheReportSaysWhatWasSent) {
  config_.repeat = 10;
  config_.report = ReportFormat::json;
  EXPECT_EQ(publish(messages({message("12345")})), ExitStatus::success);
  const auto report = nlohmann::json::parse(printed());
  EXPECT_EQ(report["sent"], 10);
  EXPECT_EQ(report["acknowledged"], 10);
  EXPECT_EQ(report["not_sent"], 0);
  EXPECT_EQ(report["bytes"], 50);
  EXPECT_DOUBLE_EQ(report["acknowledgement_ms"]["p50"], 0.1);
}

TEST_F(Publisher, TheReportCountsRefusalsAndTheStatusIsThatOfOne) {
  config_.repeat = 3;
  config_.report = ReportFormat::json;
  session_.refused_topics = {"topic"};
  testing::internal::CaptureStderr();
  EXPECT_EQ(publish(messages({message("1")})), ExitStatus::topic_refused);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "pub: 3 of 3 messages were refused; the first: the broker refused the message to topic\n");
  const auto report = nlohmann::json::parse(printed());
  EXPECT_EQ(report["sent"], 3);
  EXPECT_EQ(report["acknowledged"], 0);
  EXPECT_EQ(report["refusals"]["not authorized (0x87)"], 3);
}

TEST_F(Publisher, AStopIsReportedToo) {
  config_.repeat = 10;
  config_.report = ReportFormat::json;
  config_.pace.interval = std::chrono::hours(1);
  std::jthread stopper([this] { stop_.request_stop(); });
  EXPECT_EQ(publish(messages({message("1")})), ExitStatus::failure);
  const auto report = nlohmann::json::parse(printed());
  EXPECT_EQ(report["sent"], 1);
  EXPECT_EQ(report["not_sent"], 9);
}

TEST_F(Publisher, AFaultIsReportedToo) {
  config_.lines = true;
  config_.report = ReportFormat::json;
  const Source source = [first = true](const Moment&, const std::stop_token&) mutable {
    if (!std::exchange(first, false)) {
      throw UsageError("stdin:2: no message");
    }
    return Turn{std::vector{message("1")}};
  };
  EXPECT_THROW((void)publish(source), UsageError);
  const auto report = nlohmann::json::parse(printed());
  EXPECT_EQ(report["acknowledged"], 1);
  EXPECT_EQ(report.at("input_left"), true);
}

TEST_F(Publisher, AStopThatComesFirstTakesNoLines) {
  config_.lines = true;
  stop_.request_stop();
  EXPECT_EQ(publish(turns({{message("1")}})), ExitStatus::success);
  EXPECT_TRUE(session_.published.empty());
}

/// The stamps of what was published.
std::vector<Stamp> stamps_in(const std::vector<Message>& messages) {
  std::vector<Stamp> stamps;
  for (const Message& message : messages) {
    if (const auto stamp = stamp_of(message)) {
      stamps.push_back(*stamp);
    } else {
      EXPECT_TRUE(stamp_end_of(message)) << "only the last one has another stamp";
    }
  }
  return stamps;
}

TEST_F(Publisher, StampsAreNumberedInTheOrderOfTheMessages) {
  config_.stamp = true;
  config_.lines = true;
  config_.verbose = true;
  config_.connection.version = ProtocolVersion::v5;
  const auto before = std::chrono::system_clock::now();
  EXPECT_EQ(publish(turns({{message("a"), message("b")}, {message("c")}})), ExitStatus::success);
  const auto stamps = stamps_in(session_.published);
  ASSERT_EQ(stamps.size(), 3U);
  for (std::size_t at = 0; at < stamps.size(); ++at) {
    EXPECT_EQ(stamps[at].sequence, at + 1);
    EXPECT_EQ(stamps[at].publisher, session_.client_id());
    EXPECT_FALSE(stamps[at].due);
    EXPECT_LT(stamps[at].sent - before, std::chrono::minutes(1));
    EXPECT_GT(stamps[at].sent - before, -std::chrono::minutes(1));
  }
  EXPECT_TRUE(std::ranges::is_sorted(stamps, {}, &Stamp::sent));
  EXPECT_EQ(session_.published[2].payload, "c");
  EXPECT_EQ(printed(), "topic a\ntopic b\ntopic c\n");
}

TEST_F(Publisher, ARepeatedMessageHasAStampOfItsOwnEachTime) {
  config_.stamp = true;
  config_.repeat = 3;
  EXPECT_EQ(publish(messages({message("x")})), ExitStatus::success);
  ASSERT_EQ(session_.published.size(), 4U);
  EXPECT_TRUE(session_.published.back().payload.starts_with("~stamp1 =3 ")) << "the last one says how many there were";
  session_.published.pop_back();
  for (Message& published : session_.published) {
    EXPECT_TRUE(published.payload.starts_with("~stamp1 ")) << published.payload;
    take_stamp_off(published);
    EXPECT_EQ(published.payload, "x");
  }
  EXPECT_EQ(stamps_in(session_.published)[2].sequence, 3U);
}

TEST_F(Publisher, StampsOfAPaceSayWhenTheMessageWasDue) {
  config_.stamp = true;
  config_.connection.version = ProtocolVersion::v5;
  config_.pace.interval = std::chrono::milliseconds(2);
  config_.repeat = 3;
  EXPECT_EQ(publish(turns({{message("1"), message("2")}})), ExitStatus::success);
  const auto stamps = stamps_in(session_.published);
  ASSERT_EQ(stamps.size(), 6U);
  for (std::size_t at = 0; at < stamps.size(); ++at) {
    ASSERT_TRUE(stamps[at].due);
    EXPECT_LE(*stamps[at].due, stamps[at].sent);
    if (at > 0) {  // more where the machine was away and the schedule was moved
      EXPECT_GE(*stamps[at].due - *stamps[at - 1].due, std::chrono::milliseconds(2));
    }
  }
}

TEST_F(Publisher, StampsSayWhenTheSourceWantedIt) {
  config_.stamp = true;
  config_.lines = true;
  config_.connection.version = ProtocolVersion::v5;
  const Source source = [turn = 0](const Moment&, const std::stop_token&) mutable {
    return turn == 3 ? Turn{} : Turn{{message("1")}, std::chrono::milliseconds(5 * turn++)};
  };
  EXPECT_EQ(publish(source), ExitStatus::success);
  const auto stamps = stamps_in(session_.published);
  ASSERT_EQ(stamps.size(), 3U);
  ASSERT_TRUE(stamps[0].due && stamps[2].due);
  EXPECT_GE(*stamps[2].due - *stamps[0].due, std::chrono::milliseconds(10));
}

TEST_F(Publisher, AtTheGreatestSpeedNothingIsDue) {
  config_.stamp = true;
  config_.connection.version = ProtocolVersion::v5;
  config_.pace.interval = std::chrono::seconds(10);
  config_.pace.speed.at_most = true;
  config_.repeat = 2;
  EXPECT_EQ(publish(messages({message("x")})), ExitStatus::success);
  const auto stamps = stamps_in(session_.published);
  ASSERT_EQ(stamps.size(), 2U);
  EXPECT_FALSE(stamps[1].due);
}

TEST_F(Publisher, WithoutTheOptionNothingIsStamped) {
  config_.pace.interval = std::chrono::milliseconds(1);
  config_.repeat = 2;
  EXPECT_EQ(publish(messages({message("x")})), ExitStatus::success);
  EXPECT_EQ(session_.published.at(1).payload, "x");
  EXPECT_TRUE(session_.published.at(1).properties.empty());
}

}  // namespace
}  // namespace sistem
