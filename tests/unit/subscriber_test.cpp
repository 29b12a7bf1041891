#include "sub/subscriber.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/memory_session.hpp"
#include "tests/support/pipe.hpp"

namespace sistem {
namespace {

using test::MemorySession;
using namespace std::string_literals;

class Subscriber : public testing::Test {
 protected:
  Subscriber() {
    config_.filters = {"a", "b"};
    session_.batches = {{{"a", "one"}, {"b", "two"}}, {{"a", "three"}}};
  }
  ExitStatus subscribe() {
    Output output{pipe_.writer(), stop_.get_token()};
    return print_messages(session_, config_, output, Console{"sub", false}, stop_.get_token());
  }
  std::string printed() {
    pipe_.close_writer();
    return pipe_.read_to_end();
  }

  MemorySession session_;
  SubConfig config_;
  std::stop_source stop_;
  test::Pipe pipe_;
};

TEST_F(Subscriber, SubscribesToEveryFilterWithTheQosAskedFor) {
  config_.count = 1;
  config_.qos = 2;
  EXPECT_EQ(subscribe(), ExitStatus::success);
  ASSERT_EQ(session_.subscribed.size(), 2U);
  EXPECT_EQ(session_.subscribed[1].filter, "b");
  EXPECT_EQ(session_.subscribed[1].qos, 2);
}

TEST_F(Subscriber, EndsAtTheCountAndPrintsNoMore) {
  config_.count = 1;
  EXPECT_EQ(subscribe(), ExitStatus::success);
  EXPECT_EQ(printed(), "one\n");
  EXPECT_TRUE(session_.disconnected);
}

TEST_F(Subscriber, PrintsTopicsWhenVerbose) {
  config_.count = 3;
  config_.verbose = true;
  EXPECT_EQ(subscribe(), ExitStatus::success);
  EXPECT_EQ(printed(), "a one\nb two\na three\n");
}

TEST_F(Subscriber, PassesPayloadsThroughUntouched) {
  session_.batches = {{{"a", "\0\xFF\x1B[31m"s}, {"a", ""}}};
  config_.count = 2;
  EXPECT_EQ(subscribe(), ExitStatus::success);
  EXPECT_EQ(printed(), "\0\xFF\x1B[31m\n"s);  // and of the empty one nothing, as mosquitto_sub
}

TEST_F(Subscriber, TimeIsUpBeforeTheCount) {
  config_.count = 4;
  config_.timeout = std::chrono::milliseconds(10);
  EXPECT_EQ(subscribe(), ExitStatus::timed_out);
  EXPECT_EQ(printed(), "one\ntwo\nthree\n");
  EXPECT_TRUE(session_.disconnected);
}

TEST_F(Subscriber, FewerThanExpectedAreAVerdict) {
  config_.expect = 4;
  config_.timeout = std::chrono::milliseconds(10);
  EXPECT_EQ(subscribe(), ExitStatus::verdict);
  EXPECT_EQ(printed(), "one\ntwo\nthree\n");
}

TEST_F(Subscriber, AsManyAsExpectedAreNone) {
  config_.expect = 3;
  config_.timeout = std::chrono::seconds(60);
  EXPECT_EQ(subscribe(), ExitStatus::success);
}

TEST_F(Subscriber, FewerRetainedOnesThanExpectedAreAVerdictToo) {
  session_.batches = {{{"a", "one", 0, true}, {"b", "two"}}};
  config_.retained_only = true;
  config_.expect = 2;
  config_.timeout = std::chrono::seconds(60);
  EXPECT_EQ(subscribe(), ExitStatus::verdict);
}

TEST_F(Subscriber, TimeIsUpWithoutACountAsForMosquittoSub) {
  config_.timeout = std::chrono::milliseconds(10);
  EXPECT_EQ(subscribe(), ExitStatus::timed_out);
}

TEST_F(Subscriber, AStopIsAGoodEndWhereNoCountWasAskedFor) {
  session_.stop_after_batches = &stop_;
  EXPECT_EQ(subscribe(), ExitStatus::success);
  EXPECT_EQ(printed(), "one\ntwo\nthree\n");
  EXPECT_TRUE(session_.disconnected);
}

TEST_F(Subscriber, AStopBeforeTheCountIsAFailure) {
  config_.count = 4;
  session_.stop_after_batches = &stop_;
  EXPECT_EQ(subscribe(), ExitStatus::failure);
}

TEST_F(Subscriber, ARefusedFilterEndsTheRunWhereNoneIsGranted) {
  session_.refused = {"a", "b"};
  try {
    (void)subscribe();
    ADD_FAILURE() << "went on without a subscription";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::topic_refused);
    EXPECT_STREQ(error.what(), "the broker refused the subscription to b: not authorized (0x87)");
  }
}

TEST_F(Subscriber, ARefusedFilterEndsARunThatCounts) {
  session_.refused = {"b"};
  config_.count = 1;
  EXPECT_THROW((void)subscribe(), Error);
}

TEST_F(Subscriber, OneRefusedFilterOfSeveralIsInTheStatus) {
  session_.refused = {"b"};
  session_.stop_after_batches = &stop_;
  EXPECT_EQ(subscribe(), ExitStatus::topic_refused);
  EXPECT_EQ(printed(), "one\ntwo\nthree\n");
}

Message retained(const std::string& topic, const std::string& payload) {
  return {.topic = topic, .payload = payload, .retain = true};
}

TEST_F(Subscriber, PrintsByTheFormatRatherThanVerbosely) {
  config_.count = 3;
  config_.verbose = true;
  config_.format = "%t=%p;";
  config_.no_newline = true;
  EXPECT_EQ(subscribe(), ExitStatus::success);
  EXPECT_EQ(printed(), "a=one;b=two;a=three;");
}

TEST_F(Subscriber, AFormatThatIsWrongIsToldBeforeAnythingIsSubscribed) {
  config_.format = "%z";
  EXPECT_THROW((void)subscribe(), Expected);
  EXPECT_TRUE(session_.subscribed.empty());
}

TEST_F(Subscriber, WhatHasNoSuchFormIsCountedAndNotPrinted) {
  session_.batches = {{{"a", "no JSON"}, {"a", "{}"}}};
  config_.count = 2;
  config_.format = "%J";
  EXPECT_EQ(subscribe(), ExitStatus::success);
  const std::string out = printed();
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 1) << out;
}

TEST_F(Subscriber, WithoutNewlinesPayloadsFollowEachOther) {
  config_.count = 3;
  config_.no_newline = true;
  EXPECT_EQ(subscribe(), ExitStatus::success);
  EXPECT_EQ(printed(), "onetwothree");
}

TEST_F(Subscriber, FilteredOutTopicsAreNeitherPrintedNorCountedNorRemoved) {
  session_.batches = {{retained("a/1", "1"), retained("b", "2"), retained("a", "3"), retained("c", "4")}};
  config_.filter_out = {"a/#", "x"};
  config_.remove_retained = true;
  config_.count = 2;
  EXPECT_EQ(subscribe(), ExitStatus::success);
  EXPECT_EQ(printed(), "2\n4\n");
  ASSERT_EQ(session_.published.size(), 2U);
  EXPECT_EQ(session_.published[0].topic, "b");
  EXPECT_EQ(session_.published[1].topic, "c");
}

TEST_F(Subscriber, RetainedMessagesAreSkippedWhenAskedFor) {
  session_.batches = {{retained("a", "old"), {"a", "new"}}};
  config_.skip_retained = true;
  config_.count = 1;
  EXPECT_EQ(subscribe(), ExitStatus::success);
  EXPECT_EQ(printed(), "new\n");
}

TEST_F(Subscriber, TheFirstThatIsNotRetainedEndsARunForRetainedOnes) {
  session_.batches = {{retained("a", "1"), retained("a", "2"), {"b", "3"}, retained("a", "4")}};
  config_.retained_only = true;
  config_.filter_out = {"b"};  // as for mosquitto_sub it tells that the retained ones are over all the same
  EXPECT_EQ(subscribe(), ExitStatus::success);
  EXPECT_EQ(printed(), "1\n2\n");
  EXPECT_TRUE(session_.disconnected);
}

TEST_F(Subscriber, RemovesRetainedMessagesAndWaitsUntilTheyAre) {
  session_.batches = {{retained("a", "1"), {"a", "2"}, retained("b", "")}};
  config_.remove_retained = true;
  config_.count = 3;
  EXPECT_EQ(subscribe(), ExitStatus::success);
  EXPECT_EQ(printed(), "1\n2\n");
  ASSERT_EQ(session_.published.size(), 2U);
  for (const Message& message : session_.published) {
    EXPECT_TRUE(message.payload.empty() && message.retain);
    EXPECT_EQ(message.qos, 1);
  }
  EXPECT_TRUE(session_.flushed);
}

TEST_F(Subscriber, RemovesThoseThatItDoesNotPrint) {
  session_.batches = {{retained("a", "1"), {"a", "2"}}};
  config_.remove_retained = true;
  config_.skip_retained = true;
  config_.count = 1;
  EXPECT_EQ(subscribe(), ExitStatus::success);
  EXPECT_EQ(printed(), "2\n");
  EXPECT_EQ(session_.published.size(), 1U);
}

TEST_F(Subscriber, ARemovalThatWasNotAcknowledgedIsAFailure) {
  session_.batches = {{retained("a", "1")}};
  session_.unacknowledged = 1;
  config_.remove_retained = true;
  config_.count = 1;
  EXPECT_EQ(subscribe(), ExitStatus::failure);
}

TEST_F(Subscriber, ARemovalThatAStopPreventsIsAFailure) {
  session_.batches = {{retained("a", "1")}};
  session_.room = 0;
  session_.stop_when_full = &stop_;
  config_.remove_retained = true;
  EXPECT_EQ(subscribe(), ExitStatus::failure);
  EXPECT_TRUE(session_.disconnected);
}

TEST_F(Subscriber, ChanceDecidesWhatIsPrintedAndTheCountWhatHasCome) {
  std::vector<Message> many(4000, Message{"a", "x"});
  session_.batches = {many};
  config_.random_filter = 25;
  config_.count = many.size();
  EXPECT_EQ(subscribe(), ExitStatus::success);
  const std::size_t lines = printed().size() / 2;
  EXPECT_GT(lines, 800U);  // 1000 expected; seven standard deviations below
  EXPECT_LT(lines, 1200U);
}

TEST_F(Subscriber, EndsWithTheAcknowledgementAndWhatHasComeBefore) {
  config_.exit_after_suback = true;
  session_.batches = {{{"a", "one"}}};
  EXPECT_EQ(subscribe(), ExitStatus::success);
  EXPECT_EQ(printed(), "one\n");
  EXPECT_EQ(session_.subscribed.size(), 2U);
  EXPECT_TRUE(session_.disconnected);
}

TEST_F(Subscriber, EndsWithTheAcknowledgementAlsoWhereNothingHasCome) {
  config_.exit_after_suback = true;
  session_.batches.clear();
  EXPECT_EQ(subscribe(), ExitStatus::success);
}

TEST_F(Subscriber, ARefusedFilterIsTheStatusOfARunThatEndsWithTheAcknowledgement) {
  config_.exit_after_suback = true;
  config_.require_all = false;
  session_.refused = {"a"};
  EXPECT_EQ(subscribe(), ExitStatus::topic_refused);
}

TEST_F(Subscriber, ARefusedFilterIsFatalWhereAllAreRequired) {
  config_.require_all = true;
  session_.refused = {"a"};
  try {
    (void)subscribe();
    ADD_FAILURE() << "went on without one";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::topic_refused);
  }
}

TEST_F(Subscriber, TakesNoMoreThanItWasAskedFor) {
  config_.count = 3;
  config_.filter_out = {"left/out"};
  session_.batches = {{{.topic = "a"}, {.topic = "left/out"}}, {{.topic = "a"}, {.topic = "b"}}};
  EXPECT_EQ(subscribe(), ExitStatus::success);
  EXPECT_EQ(session_.limits, (std::vector<std::optional<std::size_t>>{2, 0}));
}

TEST_F(Subscriber, UnsubscribesAfterSubscribing) {
  config_.unsubscribe = {"x", "y/#"};
  config_.exit_after_suback = true;
  EXPECT_EQ(subscribe(), ExitStatus::success);
  EXPECT_EQ(session_.subscribed.size(), 2U);
  EXPECT_EQ(session_.unsubscribed, (std::vector<std::string>{"x", "y/#"}));
}

TEST_F(Subscriber, UnsubscribesWithoutSubscribing) {
  config_.filters.clear();
  config_.unsubscribe = {"x"};
  config_.count = 1;
  EXPECT_EQ(subscribe(), ExitStatus::success);
  EXPECT_TRUE(session_.subscribed.empty());
  EXPECT_EQ(session_.unsubscribed, std::vector<std::string>{"x"});
}

TEST_F(Subscriber, WhatMqtt5KnowsOfASubscriptionIsAskedForInMqtt5Only) {
  config_.exit_after_suback = true;
  config_.retain_as_published = true;
  config_.retain_handling = RetainHandling::send_if_new;
  EXPECT_EQ(subscribe(), ExitStatus::success);
  EXPECT_FALSE(session_.subscribed[0].retain_as_published);
  EXPECT_EQ(session_.subscribed[0].retain_handling, RetainHandling::send_always);
  config_.connection.version = ProtocolVersion::v5;
  EXPECT_EQ(subscribe(), ExitStatus::success);
  EXPECT_TRUE(session_.subscribed[1].retain_as_published);
  EXPECT_EQ(session_.subscribed[1].retain_handling, RetainHandling::send_if_new);
}

TEST_F(Subscriber, AnMqtt5BrokerDoesNotSendWhatWouldBeSkipped) {
  config_.exit_after_suback = true;
  config_.connection.version = ProtocolVersion::v5;
  config_.skip_retained = true;
  EXPECT_EQ(subscribe(), ExitStatus::success);
  EXPECT_EQ(session_.subscribed[0].retain_handling, RetainHandling::send_never);
  config_.remove_retained = true;  // which needs them
  EXPECT_EQ(subscribe(), ExitStatus::success);
  EXPECT_EQ(session_.subscribed[0].retain_handling, RetainHandling::send_always);
}

TEST_F(Subscriber, AlwaysColoursMeanTheLayoutOfATerminal) {
  config_.count = 3;
  config_.colour = ColourWhen::always;
  EXPECT_EQ(subscribe(), ExitStatus::success);
  const std::string out = printed();
  EXPECT_NE(out.find("  " + Paint{Palette::few}.topic("a", "a") + "  one\n"), std::string::npos) << out;
  EXPECT_EQ(out.find("\x1b[?25l"), std::string::npos) << out;
}

TEST_F(Subscriber, AWatchOfAPipePrintsWhatChangedOnce) {
  config_.count = 3;
  config_.watch = true;
  EXPECT_EQ(subscribe(), ExitStatus::success);
  const std::string out = printed();
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 2) << out;
  EXPECT_NE(out.find("\ta\t2\t-\tthree\n"), std::string::npos) << out;
  EXPECT_NE(out.find("\tb\t1\t-\ttwo\n"), std::string::npos) << out;
}

TEST_F(Subscriber, AWatchShowsValuesByTheFormat) {
  session_.batches = {{{"a", "AB"}, {"b", "x\ty"}}};
  config_.count = 2;
  config_.watch = true;
  config_.format = "%l bytes: %x";
  EXPECT_EQ(subscribe(), ExitStatus::success);
  EXPECT_NE(printed().find("\t2 bytes: 4142\n"), std::string::npos);
}

TEST_F(Subscriber, AMessageRateThatEndsEarlyIsToldAtTheEnd) {
  config_.count = 3;
  config_.message_rate = true;
  EXPECT_EQ(subscribe(), ExitStatus::success);
  const std::string out = printed();
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 1) << out;
  EXPECT_NE(out.find(" 3 messages      11 B "), std::string::npos) << out;
}

TEST_F(Subscriber, AGraphOfAPipeIsALineForEachNumber) {
  session_.batches = {{{"a", "{\"t\":1.5}"}, {"b", "no"}}, {{"a", "{\"t\":2}"}}};
  config_.count = 3;
  config_.graph = "t";
  EXPECT_EQ(subscribe(), ExitStatus::success);
  const std::string out = printed();
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 2) << out;
  EXPECT_NE(out.find("\ta\t1.5\n"), std::string::npos) << out;
}

TEST_F(Subscriber, MessagesThatWereDroppedAreAFailure) {
  config_.count = 3;
  session_.lost_to_overflow = 5;
  EXPECT_EQ(subscribe(), ExitStatus::failure);
  EXPECT_EQ(printed(), "one\ntwo\nthree\n");
}

TEST_F(Subscriber, AnotherFailureIsToldRatherThanThatMessagesWereDropped) {
  config_.count = 4;
  config_.timeout = std::chrono::milliseconds(10);
  session_.lost_to_overflow = 5;
  EXPECT_EQ(subscribe(), ExitStatus::timed_out);
}

TEST_F(Subscriber, AClosedPipeIsNoticedWithoutAMessage) {
  session_.batches.clear();
  pipe_.close_reader();
  EXPECT_THROW((void)subscribe(), OutputClosed);
}

}  // namespace
}  // namespace sistem
