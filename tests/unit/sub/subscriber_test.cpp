#include "sub/subscriber.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>

#include "common/mqtt/record.hpp"
#include "tests/support/memory_session.hpp"
#include "tests/support/pipe.hpp"
#include "tests/support/temporary.hpp"

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
  ExitStatus subscribe(Recording* recording = nullptr) {
    Output output{pipe_.writer(), stop_.get_token()};
    return print_messages(session_, config_, output, Console{"sub", false, notes_.writer()}, stop_.get_token(), {},
                          recording);
  }
  std::string printed() {
    pipe_.close_writer();
    return pipe_.read_to_end();
  }
  /// What was said to a person.
  std::string noted() {
    notes_.close_writer();
    return notes_.read_to_end();
  }

  MemorySession session_;
  SubConfig config_;
  std::stop_source stop_;
  test::Pipe pipe_;
  test::Pipe notes_;
};

/// A subscriber for each row of a table.
class SubscriberOf : public Subscriber {
 public:
  explicit SubscriberOf(const std::function<void(SubConfig&, MemorySession&)>& arrange) { arrange(config_, session_); }
  using Subscriber::noted;
  using Subscriber::printed;
  using Subscriber::subscribe;

 private:
  void TestBody() override {}
};

/// One message a payload, all on `a` and at once.
std::vector<Message> batch_of(const std::vector<std::string>& payloads) {
  std::vector<Message> batch;
  batch.reserve(payloads.size());
  for (const std::string& payload : payloads) {
    batch.push_back({.topic = "a", .payload = payload});
  }
  return batch;
}

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
  config_.timeout = std::chrono::milliseconds(50);
  EXPECT_EQ(subscribe(), ExitStatus::timed_out);
  EXPECT_EQ(printed(), "one\ntwo\nthree\n");
  EXPECT_TRUE(session_.disconnected);
}

TEST_F(Subscriber, FewerThanExpectedAreAVerdict) {
  config_.expect = 4;
  config_.timeout = std::chrono::milliseconds(50);
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
  config_.timeout = std::chrono::milliseconds(50);
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

TEST_F(Subscriber, ARefusedFilterEndsARunThatWaitsForSomething) {
  session_.refused = {"b"};
  config_.ends_when_met = true;
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
  config_.timeout = std::chrono::milliseconds(50);
  session_.lost_to_overflow = 5;
  EXPECT_EQ(subscribe(), ExitStatus::timed_out);
}

TEST_F(Subscriber, SilenceEndsTheRunAsItWasAskedFor) {
  constexpr std::chrono::milliseconds short_time{10};
  struct Row {
    std::function<void(SubConfig&, MemorySession&)> arrange;
    ExitStatus status;
    std::string last_note;
  };
  const Row table[] = {
      {[](SubConfig&, MemorySession&) {}, ExitStatus::success, "nothing came for 0.01 s after 3 messages"},
      {[](SubConfig&, MemorySession& session) { session.batches.pop_front(); }, ExitStatus::success,
       "nothing came for 0.01 s after 1 message"},
      {[](SubConfig&, MemorySession& session) { session.batches.clear(); }, ExitStatus::success,
       "nothing came for 0.01 s after 0 messages"},
      {[](SubConfig& config, MemorySession&) { config.count = 4; }, ExitStatus::timed_out,
       "nothing came for 0.01 s after 3 of 4 messages"},
      {[](SubConfig& config, MemorySession&) { config.expect = 4; }, ExitStatus::verdict,
       "nothing came for 0.01 s after 3 of 4 messages"},
      {[](SubConfig& config, MemorySession&) { config.until = "four"; }, ExitStatus::timed_out,
       "nothing came for 0.01 s after 3 messages"},
      {[](SubConfig& config, MemorySession&) { config.match = {"^t"}; }, ExitStatus::success,
       "nothing came for 0.01 s after 2 messages"},
      {[](SubConfig& config, MemorySession&) { config.count = 3; }, ExitStatus::success, ""},
      {[](SubConfig& config, MemorySession&) { config.expect = 3; }, ExitStatus::success, ""},
      {[](SubConfig& config, MemorySession&) { config.until = "hree"; }, ExitStatus::success, ""},
      {[](SubConfig&, MemorySession& session) { session.refused = {"b"}; }, ExitStatus::topic_refused,
       "nothing came for 0.01 s after 3 messages"},
      {[](SubConfig&, MemorySession& session) { session.lost_to_overflow = 1; }, ExitStatus::failure,
       "1 message was dropped because the reader of stdout was slow"},
      {[](SubConfig& config, MemorySession& session) {
         config.expect = 4;
         session.lost_to_overflow = 2;
       },
       ExitStatus::verdict, "2 messages were dropped because the reader of stdout was slow"},
  };
  for (const Row& row : table) {
    SubscriberOf subscriber{[&](SubConfig& config, MemorySession& session) {
      config.idle = short_time;
      row.arrange(config, session);
    }};
    EXPECT_EQ(subscriber.subscribe(), row.status) << row.last_note;
    const std::string notes = subscriber.noted();
    if (row.last_note.empty()) {
      EXPECT_EQ(notes.find("after"), std::string::npos) << notes;
    } else {
      EXPECT_TRUE(notes.ends_with("sub: " + row.last_note + "\n")) << notes;
    }
  }
}

TEST_F(Subscriber, SilenceWithoutAConnectionIsNoSuccess) {
  session_.has_connection = false;
  config_.idle = std::chrono::milliseconds(1);
  EXPECT_EQ(subscribe(), ExitStatus::no_broker);
  EXPECT_TRUE(noted().ends_with(", and there is no connection to the broker at memory:1883\n")) << noted();
}

TEST_F(Subscriber, TheMessageThatIsWaitedForIsTheLast) {
  struct Row {
    std::function<void(SubConfig&)> arrange;
    ExitStatus status;
    std::string printed;
  };
  const Row table[] = {
      {[](SubConfig&) {}, ExitStatus::success, "1\nend 1\n"},
      {[](SubConfig& config) { config.count = 9; }, ExitStatus::success, "1\nend 1\n"},
      {[](SubConfig& config) { config.count = 1; }, ExitStatus::success, "1\n"},
      {[](SubConfig& config) { config.expect = 2; }, ExitStatus::success, "1\nend 1\n"},
      {[](SubConfig& config) { config.expect = 3; }, ExitStatus::verdict, "1\nend 1\n"},
      {[](SubConfig& config) { config.match = {"2$"}; }, ExitStatus::success, "2\nend 2\n"},
      {[](SubConfig& config) { config.retained_only = true; }, ExitStatus::timed_out, ""},
      {[](SubConfig& config) { config.random_filter = 0.1; }, ExitStatus::success, "end 1\n"},
  };
  for (const Row& row : table) {
    SubscriberOf subscriber{[&](SubConfig& config, MemorySession& session) {
      session.batches = {batch_of({"1", "end 1", "2"}), batch_of({"end 2", "3"})};
      config.until = "^end";
      config.idle = std::chrono::milliseconds(100);
      row.arrange(config);
    }};
    EXPECT_EQ(subscriber.subscribe(), row.status) << row.printed;
    const std::string out = subscriber.printed();
    EXPECT_TRUE(out.ends_with(row.printed)) << out;  // by chance more may stand before it
    EXPECT_EQ(std::count(out.begin(), out.end(), '3'), 0) << out;
  }
}

TEST_F(Subscriber, AStopBeforeTheMessageThatIsWaitedForIsAFailure) {
  config_.until = "four";
  session_.stop_after_batches = &stop_;
  EXPECT_EQ(subscribe(), ExitStatus::failure);
  EXPECT_TRUE(noted().ends_with("sub: stopped after 3 messages\n"));
}

TEST_F(Subscriber, NoMoreIsToComeBehindTheRetainedOnes) {
  session_.batches = {{retained("a", "1"), {"a", "2"}}};
  config_.retained_only = true;
  config_.until = "2";
  EXPECT_EQ(subscribe(), ExitStatus::timed_out);
  EXPECT_TRUE(noted().ends_with("sub: no more is to come after 1 message\n"));
}

TEST_F(Subscriber, TheCountIsOfThoseThatWereChosen) {
  struct Row {
    std::function<void(SubConfig&)> choose;
    std::vector<std::string> payloads;
    std::size_t count;
    std::string printed;
  };
  const Row table[] = {
      {[](SubConfig& config) {
         config.match = {"a", "b"};
       },
       {"c", "xa", "c", "b", "a"},
       2,
       "xa\nb\n"},
      {[](SubConfig& config) { config.json_match = {"t > 1"}; },
       {R"({"t":1})", "2", R"({"t":2})", "no", R"({"t":3})", R"({"t":4})"},
       2,
       "{\"t\":2}\n{\"t\":3}\n"},
      {[](SubConfig& config) { config.unique = true; }, {"1", "1", "2", "2", "1", "3"}, 3, "1\n2\n1\n"},
      {[](SubConfig& config) {
         config.match = {"^[a-c]"};
         config.unique = true;
       },
       {"x", "a", "a", "b", "x", "b", "c"},
       3,
       "a\nb\nc\n"},
      {[](SubConfig& config) { config.format = "%{n} %p"; }, {"a", "b", "c"}, 2, "1 a\n2 b\n"},
  };
  for (const Row& row : table) {
    SubscriberOf subscriber{[&](SubConfig& config, MemorySession& session) {
      session.batches = {batch_of(row.payloads)};
      config.count = row.count;
      row.choose(config);
    }};
    EXPECT_EQ(subscriber.subscribe(), ExitStatus::success) << row.printed;
    EXPECT_EQ(subscriber.printed(), row.printed);
  }
}

TEST_F(Subscriber, ARunningNumberIsOfThoseThatArePrinted) {
  session_.batches = {batch_of({"1", "no JSON", "2"})};
  config_.count = 3;
  config_.format = "%{n}:%J";
  EXPECT_EQ(subscribe(), ExitStatus::success);
  const std::string out = printed();
  EXPECT_TRUE(out.starts_with("1:{")) << out;
  EXPECT_NE(out.find("\n2:{"), std::string::npos) << out;
  EXPECT_NE(noted().find("sub: cannot print the message on a: its payload is no JSON\n"), std::string::npos);
}

TEST_F(Subscriber, TheTimeBetweenTwoIsThatBetweenThoseThatArePrinted) {
  const auto at = [](const std::string& payload, std::chrono::milliseconds time) {
    return Message{.topic = "a",
                   .payload = payload,
                   .arrival_steady = std::chrono::steady_clock::time_point(std::chrono::hours(1) + time)};
  };
  using namespace std::chrono_literals;
  session_.batches = {{at("a", 0ms), at("x", 100ms)}, {at("b", 250ms), at("c", 1250ms)}};
  config_.match = {"^[a-c]"};
  config_.count = 3;
  config_.format = "%.3{delta} %p";
  EXPECT_EQ(subscribe(), ExitStatus::success);
  EXPECT_EQ(printed(), "0.000 a\n0.250 b\n1.000 c\n");
}

/// The payloads in a file of --record.
std::vector<std::string> recorded_payloads(const std::filesystem::path& path) {
  std::vector<std::string> payloads;
  std::ifstream file{path};
  for (std::string line; std::getline(file, line);) {
    payloads.push_back(read_record(line).message.payload);
  }
  return payloads;
}

TEST_F(Subscriber, WhatIsChosenIsRecordedWhateverTheForm) {
  struct Row {
    std::function<void(SubConfig&)> arrange;
    std::vector<std::string> recorded;
  };
  const Row table[] = {
      {[](SubConfig& config) { config.count = 3; }, {"one", "", "a\0b"s}},  // no more than was asked for
      {[](SubConfig& config) {
         config.match = {"^.?$", "o"};
       },
       {"one", "", "two"}},
      {[](SubConfig& config) { config.format = "%t"; }, {"one", "", "a\0b"s, "two"}},
      {[](SubConfig& config) { config.json = true; }, {"one", "", "a\0b"s, "two"}},
      {[](SubConfig& config) { config.watch = true; }, {"one", "", "a\0b"s, "two"}},
      {[](SubConfig& config) { config.until = "^two"; }, {"one", "", "a\0b"s, "two"}},
  };
  for (const Row& row : table) {
    const test::TemporaryFolder folder;
    const auto path = folder.path() / "r.jsonl";
    SubscriberOf subscriber{[&](SubConfig& config, MemorySession& session) {
      session.batches = {batch_of({"one", "", "a\0b"s}), batch_of({"two"})};
      config.idle = std::chrono::milliseconds(20);
      row.arrange(config);
    }};
    Recording recording{path, Recording::Begin::anew};
    EXPECT_EQ(subscriber.subscribe(&recording), ExitStatus::success);
    EXPECT_EQ(recorded_payloads(path), row.recorded);  // before the recording is destroyed
  }
}

TEST_F(Subscriber, ChanceDecidesWhatIsRecordedTheSameAsWhatIsPrinted) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "r.jsonl";
  std::vector<std::string> payloads(1000);
  std::generate(payloads.begin(), payloads.end(), [count = 0]() mutable { return std::to_string(count++); });
  session_.batches = {batch_of(payloads)};
  config_.random_filter = 50;
  config_.count = payloads.size();
  Recording recording{path, Recording::Begin::anew};
  EXPECT_EQ(subscribe(&recording), ExitStatus::success);
  std::string lines;
  for (const std::string& payload : recorded_payloads(path)) {
    lines += payload + "\n";
  }
  EXPECT_EQ(printed(), lines);
  EXPECT_FALSE(lines.empty());
}

TEST_F(Subscriber, AFullDiskEndsTheRunAndWhatWasTakenIsPrinted) {
  config_.count = 3;
  session_.lost_to_overflow = 1;
  Recording recording{"/dev/full", Recording::Begin::anew};
  try {
    (void)subscribe(&recording);
    ADD_FAILURE() << "went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::failure);
    EXPECT_STREQ(error.what(), "cannot record to /dev/full: No space left on device; it holds 0 messages of this run");
  }
  EXPECT_EQ(printed(), "one\ntwo\nthree\n") << "what had arrived by then too";
  EXPECT_NE(noted().find("sub: 1 message was dropped"), std::string::npos);
}

TEST_F(Subscriber, AClosedPipeIsNoticedWithoutAMessage) {
  session_.batches.clear();
  config_.look_at_reader = std::chrono::milliseconds(1);
  pipe_.close_reader();
  EXPECT_THROW((void)subscribe(), OutputClosed);
}

}  // namespace
}  // namespace sistem
