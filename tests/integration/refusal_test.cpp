#include <gtest/gtest.h>

#include "tests/integration/tools.hpp"
#include "tests/support/rogue_broker.hpp"

namespace sistem::test {
namespace {

using namespace std::string_literals;

const RogueBroker::Reply accepted{RogueBroker::connect_packet, "\x20\x02\x00\x00"s};

std::string at(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

/// One line on stderr, as it was expected, and the status.
void expect_end(const Result& result, int status, const std::string& line) {
  EXPECT_EQ(result.status, status) << result.report;
  EXPECT_EQ(result.err, line + "\n");
  EXPECT_EQ(result.out, "");
}

TEST(Refusal, AMissingBrokerIsOneLineThatSaysWhatWasTried) {
  const auto port = free_port();
  expect_end(run(tool(PUB, port, {"-t", "a", "-m", "x"})), 3,
             "pub: no broker at " + at(port) + ": connection refused (tried 127.0.0.1)");
  expect_end(run(tool(SUB, port, {})), 3, "sub: no broker at " + at(port) + ": connection refused (tried 127.0.0.1)");
}

TEST(Refusal, AnUnknownNameIsOneLineToo) {
  const Result result = run(tool(PUB, 1883, {"-h", "no-such-host.invalid", "-t", "a", "-m", "x"}));
  EXPECT_EQ(result.status, 3) << result.report;
  EXPECT_TRUE(result.err.starts_with("pub: no broker at no-such-host.invalid:1883: cannot find the address"))
      << result.report;
}

TEST(Refusal, EachConnackCodeHasItsWordsAndItsStatus) {
  const std::tuple<char, std::string, int> table[] = {
      {'\1', "it does not speak MQTT 3.1.1 (CONNACK code 1)", 4},
      {'\2', "client id not accepted (CONNACK code 2)", 4},
      {'\3', "service not available (CONNACK code 3)", 3},
      {'\4', "bad user name or password (CONNACK code 4)", 4},
      {'\5', "not authorized (CONNACK code 5)", 4},
  };
  for (const auto& [code, words, status] : table) {
    const RogueBroker rogue{{{RogueBroker::connect_packet, "\x20\x02\x00"s + code, true}}};
    expect_end(run(tool(PUB, rogue.port(), {"-t", "a", "-m", "x"})), status,
               "pub: the broker at " + at(rogue.port()) + " refused the connection: " + words);
  }
}

TEST(Refusal, MosquittoRefusesAStranger) {
  NEEDS_MOSQUITTO();
  const Broker broker{"allow_anonymous false\n"};
  expect_end(run(pub(broker, {"-t", "a", "-m", "x"})), 4,
             "pub: the broker at " + at(broker.port()) + " refused the connection: not authorized (CONNACK code 5)");
}

TEST(Refusal, ARefusalEndsAlsoAWaitForABroker) {
  const RogueBroker rogue{{{RogueBroker::connect_packet, "\x20\x02\x00\x05"s, true}}};
  EXPECT_EQ(run(tool(PUB, rogue.port(), {"-t", "a", "-m", "x", "--wait-for-broker"})).status, 4);
}

TEST(Refusal, APeerThatIsNoBrokerIsTold) {
  const RogueBroker rogue{{{RogueBroker::connect_packet, "", true}}};
  const Result result = run(tool(PUB, rogue.port(), {"-t", "a", "-m", "x"}));
  EXPECT_EQ(result.status, 3) << result.report;
  EXPECT_NE(result.err.find("is it an MQTT broker?"), std::string::npos) << result.report;
}

TEST(Refusal, ARefusedSubscriptionEndsSubWithStatus5) {
  const RogueBroker rogue{{accepted, {RogueBroker::subscribe_packet, "\x90\x03\x00\x01\x80"s}}};
  expect_end(run(tool(SUB, rogue.port(), {"-t", "secret/#"})), 5,
             "sub: the broker refused the subscription to secret/#: no reason given (0x80)");
}

TEST(Refusal, OneRefusedSubscriptionOfTwoIsToldAndFatalWhereACountIsAskedFor) {
  const RogueBroker rogue{{accepted, {RogueBroker::subscribe_packet, "\x90\x04\x00\x01\x00\x80"s}}};
  expect_end(run(tool(SUB, rogue.port(), {"-t", "open", "-t", "secret", "-C", "1"})), 5,
             "sub: the broker refused the subscription to secret: no reason given (0x80)");
  Process patient{tool(SUB, rogue.port(), {"-t", "open", "-t", "secret"})};
  patient.wait_for_stderr("refused the subscription to secret");
  patient.wait_for_stderr("subscribed to open (QoS 0)");
  patient.signal(SIGINT);
  EXPECT_EQ(patient.wait(), 5) << patient.report();
}

TEST(Refusal, MessagesBeforeTheSubackAreNoneOfIt) {
  // More than any queue of ours holds; a broker may send them first [MQTT-3.8.4].
  constexpr int messages = 3000;
  std::string answer;
  for (int message = 0; message < messages; ++message) {
    answer += "\x30\x04\x00\x01\x61x"s;  // PUBLISH, topic a, payload x
  }
  const RogueBroker rogue{{accepted, {RogueBroker::subscribe_packet, answer + "\x90\x03\x00\x01\x00"s}}};
  const Result result = run(tool(SUB, rogue.port(), {"-t", "a", "-C", std::to_string(messages)}));
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out.size(), 2U * messages);
}

TEST(Refusal, WrongUsageIsStatus2AndPointsToHelp) {
  const Result result = run(tool(PUB, 1883, {"-q", "7"}));
  EXPECT_EQ(result.status, 2) << result.report;
  EXPECT_EQ(result.err, "pub: --qos: expected 0, 1 or 2, got \"7\"\npub: --help shows all options\n");
}

TEST(Refusal, TheTimeOfATimeoutBeginsBeforeTheBrokerAnswers) {
  const std::string connack{"\x20\x02\x00\x00", 4};
  const std::vector<RogueBroker::Reply> table[] = {
      {},                                              // never answers CONNECT
      {{RogueBroker::connect_packet, connack}},        // nor SUBSCRIBE
      {{RogueBroker::connect_packet, connack, true}},  // hangs up again and again
  };
  for (const auto& replies : table) {
    const RogueBroker broker{replies};
    const Result result = run(tool(SUB, broker.port(), {"-t", "a", "-W", "0.3"}));
    EXPECT_EQ(result.status, 27) << result.report;
  }
  const Result nobody = run(tool(SUB, 1, {"-t", "a", "-W", "0.3", "--wait-for-broker"}));
  EXPECT_EQ(nobody.status, 27) << nobody.report;
}

}  // namespace
}  // namespace sistem::test
