// What sub is asked to do with messages: show, pass over, remove, end.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "tests/integration/tools.hpp"

namespace sistem::test {
namespace {

class Sub : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_MOSQUITTO();
    broker_ = std::make_unique<Broker>("allow_anonymous true\nmax_queued_messages 0\n");
  }
  void publish(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"-q", "1"});
    const Result result = run(pub(*broker_, std::move(arguments)));
    EXPECT_EQ(result.status, 0) << result.report;
  }
  void keep(const std::string& topic, const std::string& payload) const { publish({"-t", topic, "-m", payload, "-r"}); }
  /// Runs sub, which is expected to end by itself.
  [[nodiscard]] Result subscribe(std::vector<std::string> arguments) const {
    return run(sub(*broker_, std::move(arguments)));
  }
  /// Which messages the broker still keeps under k/: it sends them before one that comes after the subscription.
  [[nodiscard]] std::string kept() const {
    keep("last", "");  // none is kept for it
    Process process{sub(*broker_, {"-t", "k/#", "-t", "last", "--retained-only", "-v"})};
    process.wait_for_stderr("subscribed to");
    publish({"-t", "last", "-m", "end"});
    EXPECT_EQ(process.wait(), 0) << process.report();
    return process.out();
  }

  std::unique_ptr<Broker> broker_;
};

void expect(const Result& result, int status, const std::string& out) {
  EXPECT_EQ(result.status, status) << result.report;
  EXPECT_EQ(result.out, out) << result.report;
}

TEST_F(Sub, PrintsByAFormat) {
  keep("k/a", "28 °C");
  expect(subscribe({"-t", "k/a", "-C", "1", "-F", R"(%t\t%r|%l|%p|%.2x)"}), 0, "k/a\t1|6|28 °C|32 38 20 c2 b0 43\n");
}

TEST_F(Sub, AFormatThatIsWrongIsToldBeforeAnythingIsConnected) {
  const Result result = run({.command = {SUB, "-p", "1", "-t", "a", "-F", "%t %z"}});
  EXPECT_EQ(result.status, 2) << result.report;
  EXPECT_NE(result.err.find("after the % at character 4"), std::string::npos) << result.report;
}

TEST_F(Sub, FewerThanExpectedEndWithTheVerdict) {
  keep("k/1", "one");
  const Result result = subscribe({"-t", "k/#", "--expect", "2", "-W", "1"});
  expect(result, 6, "one\n");
  EXPECT_TRUE(result.err.ends_with("sub: time is up after 1 of 2 messages\n")) << result.report;
  expect(subscribe({"-t", "k/#", "--expect", "1", "-W", "20"}), 0, "one\n");
}

TEST_F(Sub, APayloadThatIsNoJsonIsToldOnStderr) {
  keep("k/1", "no");
  keep("k/2", "[ 1 ]");
  const Result result = subscribe({"-t", "k/1", "-t", "k/2", "-C", "2", "-F", "%J", "-N"});
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_NE(result.err.find("cannot print the message on k/1: its payload is no JSON"), std::string::npos);
  EXPECT_TRUE(result.out.starts_with("{") && result.out.ends_with(",\"payload\":[1]}")) << result.report;
}

TEST_F(Sub, WithoutNewlinesPayloadsAreAStreamOfBytes) {
  keep("k/1", "one");
  keep("k/2", "two");
  expect(subscribe({"-t", "k/1", "-t", "k/2", "-C", "2", "-N"}), 0, "onetwo");
}

TEST_F(Sub, TimesAreThoseOfArrival) {
  Process process{sub(*broker_, {"-t", "a", "-F", "%U"})};
  process.wait_for_stderr("subscribed to");
  const auto before = std::chrono::system_clock::now();
  publish({"-t", "a", "-m", "x"});
  process.wait_for_stdout("\n");
  const auto after = std::chrono::system_clock::now();
  const double printed = std::stod(process.out());
  EXPECT_GT(printed, std::chrono::duration<double>(before.time_since_epoch()).count() - 0.01);
  EXPECT_LT(printed, std::chrono::duration<double>(after.time_since_epoch()).count() + 0.01);
}

TEST_F(Sub, PassesOverTopicsThatAreFilteredOut) {
  keep("k/a", "1");
  keep("k/b", "2");
  keep("k/b/c", "3");
  expect(subscribe({"-t", "k/#", "-T", "k/b", "-T", "+/a", "-C", "1", "-v"}), 0, "k/b/c 3\n");
}

TEST_F(Sub, PassesOverRetainedMessages) {
  keep("k/a", "old");
  Process process{sub(*broker_, {"-t", "k/a", "-R", "-C", "1"})};
  process.wait_for_stderr("subscribed to");
  publish({"-t", "k/a", "-m", "new"});
  EXPECT_EQ(process.wait(), 0) << process.report();
  EXPECT_EQ(process.out(), "new\n");
}

TEST_F(Sub, RemovesWhatIsRetainedButForTopicsThatAreFilteredOut) {
  keep("k/a", "1");
  keep("k/b", "2");
  keep("k/c", "3");
  const Result result = subscribe({"-t", "k/#", "-T", "k/b", "--remove-retained", "-C", "2"});
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_EQ(kept(), "k/b 2\n");
}

TEST_F(Sub, RemovingEndsByItselfAsTheManualOfMosquittoSubHasIt) {
  keep("k/a", "1");
  keep("k/b", "2");
  const Result result = subscribe({"-t", "k/#", "--remove-retained", "--retained-only"});
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_EQ(kept(), "");
}

TEST_F(Sub, RemovesMoreThanItTakesFromTheNetworkAhead) {
  // The acknowledgement of a removal comes behind what the broker has sent before. Each filter brings all again.
  for (int topic = 0; topic < 20; ++topic) {
    keep("k/" + std::to_string(topic), "x");
  }
  std::vector<std::string> arguments{"--remove-retained", "-C", "4000"};
  for (int filter = 0; filter < 200; ++filter) {
    arguments.insert(arguments.end(), {"-t", "k/#"});
  }
  const Result result = subscribe(arguments);
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(kept(), "");
}

TEST_F(Sub, PrintsAShareOfTheMessagesByChance) {
  std::string lines;
  for (int line = 0; line < 2000; ++line) {
    lines += "x\n";
  }
  Process process{sub(*broker_, {"-t", "a", "--random-filter", "50", "-C", "2000", "-q", "1"})};
  process.wait_for_stderr("subscribed to");
  EXPECT_EQ(run(pub(*broker_, {"-t", "a", "-l", "-q", "1"}), lines).status, 0);
  EXPECT_EQ(process.wait(), 0) << process.err();
  const auto printed = std::count(process.out().begin(), process.out().end(), '\n');
  EXPECT_GT(printed, 800);  // 1000 expected; nine standard deviations below
  EXPECT_LT(printed, 1200);
}

TEST_F(Sub, UnsubscribesWithoutSubscribing) {
  const Result result = subscribe({"-U", "a/#", "-U", "b", "-E"});
  expect(result, 0, "");
  EXPECT_NE(result.err.find("unsubscribed from a/#, b"), std::string::npos) << result.report;
  broker_->wait_for_log("Received UNSUBSCRIBE");
  EXPECT_EQ(broker_->log().find("Received SUBSCRIBE"), std::string::npos);
}

TEST_F(Sub, HearsNothingOfWhatItHasUnsubscribedFrom) {
  Process process{sub(*broker_, {"-t", "a", "-t", "b", "-U", "a", "-C", "1"})};
  process.wait_for_stderr("unsubscribed from a");
  publish({"-t", "a", "-m", "1"});
  publish({"-t", "b", "-m", "2"});
  EXPECT_EQ(process.wait(), 0) << process.report();
  EXPECT_EQ(process.out(), "2\n");
}

TEST_F(Sub, Mqtt5LetsTheBrokerKeepRetainedMessagesBack) {
  keep("k/a", "old");
  Process process{sub(*broker_, {"-t", "k/a", "-R", "-C", "1", "-V", "5", "-d"})};
  process.wait_for_stderr("subscribed to");
  publish({"-t", "k/a", "-m", "new"});
  EXPECT_EQ(process.wait(), 0) << process.report();
  EXPECT_EQ(process.out(), "new\n");
  EXPECT_EQ(process.err().find("retained"), std::string::npos) << process.report();
}

TEST_F(Sub, Mqtt5ShowsTheRetainFlagAsItWasPublished) {
  Process process{sub(*broker_, {"-t", "k/a", "--retain-as-published", "-C", "1", "-V", "5", "-F", "%r"})};
  process.wait_for_stderr("subscribed to");
  keep("k/a", "x");
  EXPECT_EQ(process.wait(), 0) << process.report();
  EXPECT_EQ(process.out(), "1\n");
}

TEST_F(Sub, EndsWhenTheBrokerHasAcknowledged) {
  const Result result = subscribe({"-t", "a/#", "-E"});
  expect(result, 0, "");
  EXPECT_NE(result.err.find("subscribed to a/# (QoS 0)"), std::string::npos) << result.report;
}

}  // namespace
}  // namespace sistem::test
