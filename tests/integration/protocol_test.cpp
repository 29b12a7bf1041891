// What the options of MQTT itself do on the wire: versions, sessions, wills, properties and reason codes.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "tests/integration/tools.hpp"
#include "tests/support/cutting_proxy.hpp"
#include "tests/support/rogue_broker.hpp"
#include "tests/support/temporary.hpp"

namespace sistem::test {
namespace {

using namespace std::string_literals;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// How often `part` stands in `text`.
int count_of(const std::string& part, const std::string& text) {
  int count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

/// mosquitto_sub, which is on nobody's side; subscribed when the function returns.
std::unique_ptr<Process> mosquitto_sub(const Broker& broker, const Arguments& arguments) {
  const std::string port = std::to_string(broker.port());
  const Arguments command{"stdbuf", "-oL", "mosquitto_sub", "-h", "127.0.0.1", "-p", port, "-i", "watcher"};
  auto process = std::make_unique<Process>(Start{.command = command + arguments});
  broker.wait_for_log("Sending SUBACK to watcher");
  return process;
}

class Protocol : public testing::Test {
 protected:
  void SetUp() override { NEEDS_MOSQUITTO(); }
};

// Versions and who we are -------------------------------------------------------------------------------------

TEST_F(Protocol, EachVersionIsSpokenAsAsked) {
  const Broker broker;
  const std::tuple<Arguments, std::string> table[] = {
      {{"-V", "mqttv31"}, "p1, c1, k60"}, {{"-V", "mqttv311"}, "p2, c1, k60"}, {{"-V", "mqttv5"}, "p5, c1, k60"},
      {Arguments{}, "p2, c1, k60"},       {{"-V", "5", "-c"}, "p5, c0, k60"},  {{"-V", "5", "-k", "0"}, "p5, c1, k0"},
      {{"-V", "31", "-c"}, "p1, c0, k60"}};
  for (int at = 0; const auto& [options, logged] : table) {
    const std::string id = "client" + std::to_string(at++);
    expect_success(run(pub(broker, Arguments{"-t", "a", "-m", "x", "-q", "2", "-i", id} + options)));
    broker.wait_for_log(fmt::format("as {} ({})", id, logged));
  }
}

TEST_F(Protocol, TheGreatestExpiryArrivesAsItIs) {
  const Broker broker;
  expect_success(run(pub(broker, Arguments{"-t", "a", "-m", "x", "-r", "-q", "1", "-D", "publish",
                                           "message-expiry-interval", "2147483647"})));
  const Result result = run(sub(broker, Arguments{"-t", "a", "-V", "5", "-C", "1", "-F", "%E"}));
  EXPECT_TRUE(result.out.starts_with("21474836")) << result.report;  // less the seconds that it was kept
}

TEST_F(Protocol, DisconnectCarriesItsProperties) {
  const Broker broker;
  const Arguments session{"-t", "a", "-q", "1", "-i", "me", "-V", "5", "-x", "100"};
  const Arguments disconnect{"-E", "-D", "disconnect", "session-expiry-interval", "0"};
  expect_success(run(sub(broker, session + disconnect)));
  expect_success(run(pub(broker, {"-t", "a", "-m", "missed", "-q", "1"})));
  const Result result = run(sub(broker, session + Arguments{"-C", "1", "-W", "0.3"}));
  EXPECT_EQ(result.status, 27) << result.report;  // the session ended with the connection
}

TEST_F(Protocol, UserNameAndPasswordAreSentAndNeverShown) {
  const TemporaryFolder folder;
  const auto file = folder.write("passwords", "");
  expect_success(run({.command = {"mosquitto_passwd", "-b", file.string(), "bob", "secret"}}));
  const Broker broker{"allow_anonymous false\npassword_file " + file.string() + "\n"};
  for (const char* version : {"31", "311", "5"}) {
    const Arguments message{"-t", "a", "-m", "x", "-q", "1", "-V", version, "-u", "bob", "-d", "-P"};
    const Result right = run(pub(broker, message + Arguments{"secret"}));
    expect_success(right);
    EXPECT_TRUE(contains(right.err, "user name bob")) << right.report;
    EXPECT_FALSE(contains(right.err, "secret")) << right.report;
    const Result wrong = run(pub(broker, message + Arguments{"Secret"}));
    EXPECT_EQ(wrong.status, 4) << wrong.report;
    EXPECT_TRUE(contains(wrong.err, version == "5"s ? "refused the connection: not authorized (0x87)"
                                                    : "refused the connection: not authorized (CONNACK code 5)"))
        << wrong.report;
  }
}

TEST_F(Protocol, APasswordMayStandAloneInMqtt5Only) {
  const Broker broker;
  const Arguments message{"-t", "a", "-m", "x", "-q", "1", "-P", "token", "-V"};
  expect_success(run(pub(broker, message + Arguments{"5"})));
  const Result refused = run(pub(broker, message + Arguments{"311"}));
  EXPECT_EQ(refused.status, 2) << refused.report;
  EXPECT_TRUE(contains(refused.err, "--password needs --username: MQTT 3 has no password without one"))
      << refused.report;
}

TEST(ProtocolOfRogues, EachRefusalOfMqtt5HasItsNameAndItsStatus) {
  const std::tuple<char, std::string, int> table[] = {
      {'\x84', "it does not speak MQTT 5 (CONNACK code 0x84)", 4},
      {'\x85', "client identifier not valid (0x85)", 4},
      {'\x86', "bad user name or password (0x86)", 4},
      {'\x87', "not authorized (0x87)", 4},
      {'\x88', "server unavailable (0x88)", 3},
      {'\x89', "server busy (0x89)", 3},
      {'\x8A', "banned (0x8A)", 4},
      {'\x97', "quota exceeded (0x97)", 3},
      {'\x9F', "connection rate exceeded (0x9F)", 3},
  };
  for (const auto& [code, words, status] : table) {
    const RogueBroker rogue{{{RogueBroker::connect_packet, "\x20\x03\x00"s + code + '\0', true}}};
    const Result result = run(tool(PUB, rogue.port(), {"-t", "a", "-m", "x", "-V", "5"}));
    EXPECT_EQ(result.status, status) << result.report;
    EXPECT_TRUE(contains(result.err, "refused the connection: " + words + "\n")) << result.report;
  }
}

TEST(ProtocolOfRogues, ABrokerThatIsTooOldIsToldFromOneThatIsNone) {
  // Before MQTT 5 a broker answers its CONNECT by code 1, or by closing the connection [MQTT-3.1.2-2].
  const RogueBroker honest{{{RogueBroker::connect_packet, "\x20\x02\x00\x01"s, true}}};
  const Result refused = run(tool(PUB, honest.port(), {"-t", "a", "-m", "x", "-V", "5"}));
  EXPECT_EQ(refused.status, 4) << refused.report;
  EXPECT_TRUE(contains(refused.err, "it does not speak MQTT 5 (CONNACK code 1)")) << refused.report;
  const Result old = run(tool(PUB, honest.port(), {"-t", "a", "-m", "x", "-V", "31"}));
  EXPECT_TRUE(contains(old.err, "it does not speak MQTT 3.1 (CONNACK code 1)")) << old.report;
  const RogueBroker rude{{{RogueBroker::connect_packet, "", true}}};
  const Result closed = run(tool(PUB, rude.port(), {"-t", "a", "-m", "x", "-V", "5"}));
  EXPECT_EQ(closed.status, 3) << closed.report;
  EXPECT_TRUE(contains(closed.err, "does it speak MQTT 5?")) << closed.report;
}

TEST(ProtocolOfRogues, AKeepAliveThatTheBrokerWantsShorterIsKept) {
  for (const char* keep_alive : {"60", "0"}) {
    const RogueBroker rogue{{{RogueBroker::connect_packet, "\x20\x06\x00\x00\x03\x13\x00\x01"s},
                             {RogueBroker::subscribe_packet, "\x90\x04\x00\x01\x00\x00"s},
                             {RogueBroker::ping_packet, "\xD0\x00"s}}};
    Process process{tool(SUB, rogue.port(), {"-V", "5", "-t", "a", "-d", "-k", keep_alive})};
    process.wait_for_stderr(", server-keep-alive 1, ");
    for (int ping = 1; ping <= 2; ++ping) {
      process.wait_for_stderr("<- PINGRESP  2 bytes\n");
    }
    EXPECT_EQ(rogue.connections(), 1) << process.report();
  }
}

// Wills -------------------------------------------------------------------------------------------------------

TEST_F(Protocol, TheWillIsPublishedWhereTheClientIsKilledAndNotWhereItEnds) {
  const Broker broker;
  const auto watcher = mosquitto_sub(broker, {"-t", "will/#", "-q", "2", "-F", "%t|%p|%q|%r"});
  for (const char* version : {"31", "311", "5"}) {
    const std::string topic = "will/"s + version;
    const Arguments with_will{"-t",       "x",          "-V", version,        "--will-topic", topic, "--will-payload",
                              "good bye", "--will-qos", "2",  "--will-retain"};
    const auto ends = subscribed(broker, with_will + Arguments{"--will-payload", "never"});
    ends->signal(SIGTERM);
    EXPECT_EQ(ends->wait(), 0) << ends->report();
    const auto dies = subscribed(broker, with_will);
    dies->signal(SIGKILL);
    watcher->wait_for_stdout(topic + "|good bye|2|0\n");
    // Kept: who comes later gets it too.
    const Result later = run(sub(broker, {"-t", topic, "-C", "1"}));
    EXPECT_EQ(later.out, "good bye\n") << later.report;
  }
  EXPECT_FALSE(contains(watcher->out(), "never")) << watcher->report();
}

TEST_F(Protocol, TheWillCarriesItsPropertiesAndMayBeEmpty) {
  const Broker broker;
  const auto watcher = mosquitto_sub(broker, {"-V", "5", "-t", "will", "-F", "[%p|%C|%P]"});
  const auto dies = subscribed(broker, {"-t",
                                        "x",
                                        "-V",
                                        "5",
                                        "--will-topic",
                                        "will",
                                        "-D",
                                        "will",
                                        "content-type",
                                        "text/plain",
                                        "-D",
                                        "will",
                                        "user-property",
                                        "who",
                                        "me",
                                        "-D",
                                        "subscribe",
                                        "user-property",
                                        "not",
                                        "this"});
  dies->signal(SIGKILL);
  watcher->wait_for_stdout("[|text/plain|who:me]");
}

// Sessions ----------------------------------------------------------------------------------------------------

TEST_F(Protocol, APersistentSessionGetsWhatArrivedWhileItWasAway) {
  const Broker broker;
  for (const char* version : {"311", "5"}) {
    const Arguments options{"-t", "news", "-q", "1", "-c", "-V", version, "-i", "reader"s + version, "-d"};
    const auto first = subscribed(broker, options);
    EXPECT_FALSE(contains(first->err(), "session present")) << first->report();
    first->signal(SIGTERM);
    EXPECT_EQ(first->wait(), 0) << first->report();
    expect_success(run(pub(broker, {"-t", "news", "-m", "while away", "-q", "1"})));
    const Result second = run(sub(broker, options + Arguments{"-C", "1", "-W", "10"}));
    expect_success(second);
    EXPECT_EQ(second.out, "while away\n");
    EXPECT_TRUE(contains(second.err, "persistent session")) << second.report;
    EXPECT_TRUE(contains(second.err, ", session present, ")) << second.report;
  }
}

TEST_F(Protocol, WhatIsMoreThanWasAskedForStaysInTheSession) {
  const Broker broker{"allow_anonymous true\nmax_queued_messages 0\n"};
  for (const char* version : {"311", "5"}) {
    for (const char* qos : {"1", "2"}) {
      const Arguments options{
          "-V", version, "-t", "jobs", "-q", qos, "-c", "-i", std::string("worker") + version + qos};
      expect_success(run(sub(broker, options + Arguments{"-E"})));
      expect_success(run(pub(broker, {"-t", "jobs", "-l", "-q", qos}), "1\n2\n3\n4\n5\n6\n7\n"));
      for (const char* expected : {"1\n2\n", "3\n4\n", "5\n6\n"}) {
        const Result some = run(sub(broker, options + Arguments{"-C", "2", "-W", "10"}));
        expect_success(some);
        EXPECT_EQ(some.out, expected) << some.report;
      }
      const Result last = run(sub(broker, options + Arguments{"-C", "1", "-W", "10"}));
      EXPECT_EQ(last.out, "7\n") << last.report;
    }
  }
}

TEST_F(Protocol, AConnectionThatIsNotToBeRegainedEndsTheRun) {
  Broker broker;
  Process subscriber{sub(broker, {"-t", "a", "--no-reconnect"})};
  subscriber.wait_for_stderr("subscribed to");
  broker.stop();
  EXPECT_EQ(subscriber.wait(), 3) << subscriber.report();
  EXPECT_TRUE(contains(subscriber.err(), "sub: lost the connection to the broker at")) << subscriber.report();
}

TEST_F(Protocol, InMqtt5TheSessionLastsAsLongAsAsked) {
  const Broker broker;
  // A clean start with an expiry leaves a session; what -D says goes before -x; without either -c means for ever.
  const std::tuple<Arguments, std::string> table[] = {
      {{"-x", "60"}, ", session-expiry-interval 60, "},
      {{"-c"}, ", session-expiry-interval 2147483647, "},
      {{"-c", "-x", "5"}, ", session-expiry-interval 5, "},
      {{"-c", "-D", "connect", "session-expiry-interval", "7"}, ", session-expiry-interval 7, "},
  };
  for (const auto& [options, shown] : table) {
    const Result result = run(pub(broker, Arguments{"-t", "a", "-m", "x", "-V", "5", "-d", "-i", "me"} + options));
    expect_success(result);
    EXPECT_TRUE(contains(result.err, shown)) << result.report;
    EXPECT_EQ(count_of("session-expiry-interval", result.err), 1) << result.report;
  }
  const Result last = run(pub(broker, {"-t", "a", "-m", "x", "-V", "5", "-d", "-i", "me", "-c"}));
  EXPECT_TRUE(contains(last.err, "session present")) << last.report;
}

TEST_F(Protocol, ASessionThatTheBrokerHasKeptIsNotSubscribedAgainAfterALoss) {
  const Broker broker{"allow_anonymous true\nmax_queued_messages 0\n"};
  const CuttingProxy network{broker.port(), 2000, 2000, 1, 1};
  Process subscriber{tool(SUB, network.port(), {"-t", "lines", "-q", "1", "-c", "-i", "keeper", "-d"})};
  subscriber.wait_for_stderr("subscribed to");
  std::string lines;
  for (int line = 1; line <= 200; ++line) {
    lines += "line " + std::to_string(line) + "\n";
  }
  expect_success(run(pub(broker, {"-t", "lines", "-l", "-q", "1"}), lines));
  subscriber.wait_for_stdout("line 200\n");  // also if it came during the loss
  subscriber.wait_for_stderr("connected again");
  EXPECT_TRUE(contains(subscriber.err(), "session present")) << subscriber.report();
  EXPECT_EQ(count_of("-> SUBSCRIBE", subscriber.err()), 1) << subscriber.report();
  for (int line = 1; line <= 200; ++line) {
    EXPECT_TRUE(contains("\n" + subscriber.out(), "\nline " + std::to_string(line) + "\n")) << line;
  }
}

TEST(ProtocolOfRogues, WhyTheBrokerDisconnectsUsIsSaidAndAnotherConnectionMade) {
  const std::string suback = "\x90\x04\x00\x01\x00\x00"s;
  const std::tuple<std::string, std::string> table[] = {
      {"\xE0\x01\x97"s, "quota exceeded (0x97)\n"},
      {"\xE0\x02\x8B\x00"s, "server shutting down (0x8B)\n"},
      {"\xE0\x09\x89\x07\x1F\x00\x04"
       "full"s,
       "server busy (0x89), \"full\"\n"},
  };
  for (const bool closes : {true, false}) {
    for (const auto& [packet, words] : table) {
      const RogueBroker rogue{{{RogueBroker::connect_packet, "\x20\x03\x00\x00\x00"s},
                               {RogueBroker::subscribe_packet, suback + packet, closes}}};
      Process subscriber{tool(SUB, rogue.port(), {"-t", "a", "-V", "5", "-i", "twin"})};
      subscriber.wait_for_stderr("has disconnected us: " + words);
      subscriber.wait_for_stderr("lost the connection");
      const auto deadline = std::chrono::steady_clock::now() + patience;
      while (rogue.connections() < 2 && std::chrono::steady_clock::now() < deadline) {
        subscriber.poll_output();
      }
      EXPECT_GE(rogue.connections(), 2) << subscriber.report();
    }
  }
}

// Properties --------------------------------------------------------------------------------------------------

TEST_F(Protocol, PropertiesArriveAsTheyWereSent) {
  const Broker broker;
  const auto watcher = mosquitto_sub(broker, {"-V", "5", "-t", "#", "-F", "[%p|%A|%C|%D|%E|%F|%P|%R]", "-D",
                                              "subscribe", "subscription-identifier", "1"});
  const auto ours = subscribed(broker, {"-V", "5", "-t", "#", "-d", "-D", "subscribe", "subscription-identifier", "9"});
  expect_success(run(pub(broker, {"-V",
                                  "5",
                                  "-t",
                                  "a",
                                  "-m",
                                  "hello",
                                  "-D",
                                  "publish",
                                  "content-type",
                                  "text/plain",
                                  "-D",
                                  "publish",
                                  "correlation-data",
                                  "42",
                                  "-D",
                                  "publish",
                                  "message-expiry-interval",
                                  "100",
                                  "-D",
                                  "publish",
                                  "payload-format-indicator",
                                  "1",
                                  "-D",
                                  "publish",
                                  "user-property",
                                  "unit",
                                  "°C",
                                  "-D",
                                  "publish",
                                  "user-property",
                                  "unit",
                                  "K",
                                  "-D",
                                  "publish",
                                  "response-topic",
                                  "answers",
                                  "-D",
                                  "connect",
                                  "user-property",
                                  "not",
                                  "this"})));
  watcher->wait_for_stdout("[hello||text/plain|42|100|1|unit:°C unit:K|answers]");
  ours->wait_for_stdout("hello\n");
  for (const char* property : {"content-type text/plain", "correlation-data of 2 bytes", "message-expiry-interval 100",
                               "payload-format-indicator 1", "user-property unit °C, user-property unit K",
                               "response-topic answers", "subscription-identifier 9"}) {
    ours->wait_for_stderr(property);
  }
}

TEST(ProtocolOfRogues, ATopicAliasIsResolved) {
  // Two messages on topic "ab" with alias 5, the second without the topic; alias 6 was never introduced.
  const std::string messages =
      "\x30\x09\x00\x02"
      "ab\x03\x23\x00\x05x"
      "\x30\x07\x00\x00\x03\x23\x00\x05y"s;
  const RogueBroker rogue{{{RogueBroker::connect_packet, "\x20\x03\x00\x00\x00"s},
                           {RogueBroker::subscribe_packet, "\x90\x04\x00\x01\x00\x00"s + messages}}};
  const Result result = run(
      tool(SUB, rogue.port(), {"-V", "5", "-t", "ab", "-v", "-C", "2", "-D", "connect", "topic-alias-maximum", "10"}));
  expect_success(result);
  EXPECT_EQ(result.out, "ab x\nab y\n");
}

// Publishing --------------------------------------------------------------------------------------------------

/// A broker where anonymous clients may use open/# only.
std::string only_open(const TemporaryFolder& folder) {
  return "allow_anonymous true\nacl_file " + folder.write("acl", "topic readwrite open/#\n").string() + "\n";
}

TEST_F(Protocol, InMqtt5ARefusedMessageIsStatus5) {
  const TemporaryFolder folder;
  const Broker broker{only_open(folder)};
  for (const char* qos : {"1", "2"}) {
    const Result result = run(pub(broker, {"-V", "5", "-t", "closed/x", "-m", "x", "-q", qos}));
    EXPECT_EQ(result.status, 5) << result.report;
    EXPECT_EQ(result.err, "pub: the broker refused the message to closed/x: not authorized (0x87)\n");
    expect_success(run(pub(broker, {"-V", "5", "-t", "open/x", "-m", "x", "-q", qos})));  // nobody subscribed: 0x10
    expect_success(run(pub(broker, {"-t", "closed/x", "-m", "x", "-q", qos})));           // MQTT 3.1.1 cannot say it
  }
}

TEST_F(Protocol, ARefusedMessageEndsAlsoAStreamOfLines) {
  const TemporaryFolder folder;
  const Broker broker{only_open(folder)};
  std::string lines;
  for (int line = 0; line < 2000; ++line) {
    lines += "line\n";
  }
  const Result result = run(pub(broker, {"-V", "5", "-t", "closed/x", "-l", "-q", "1"}), lines);
  EXPECT_EQ(result.status, 5) << result.report;
  EXPECT_EQ(count_of("\n", result.err), 1) << result.report;
  Process live{pub(broker, {"-V", "5", "-t", "closed/x", "-l", "-q", "2"})};
  live.write("one\n");
  broker.wait_for_log("Denied PUBLISH");
  live.write("two\n");
  live.close_stdin();
  EXPECT_EQ(live.wait(), 5) << live.report();
}

TEST_F(Protocol, TheBrokersReceiveMaximumIsKeptWithoutLossAndWithoutWaiting) {
  const Broker broker{"allow_anonymous true\nmax_inflight_messages 1\nmax_queued_messages 0\n"};
  std::string lines;
  for (int line = 0; line < 500; ++line) {
    lines += "line " + std::to_string(line) + "\n";
  }
  for (const char* qos : {"1", "2"}) {
    const auto subscriber = subscribed(broker, {"-t", "lines", "-q", "0", "-C", "500"});
    const auto start = std::chrono::steady_clock::now();
    const Result result = run(pub(broker, {"-V", "5", "-t", "lines", "-l", "-q", qos, "-d"}), lines);
    const auto taken = std::chrono::steady_clock::now() - start;
    expect_success(result);
    EXPECT_TRUE(contains(result.err, ", receive-maximum 1, ")) << result.err.substr(0, 1000);
    EXPECT_EQ(subscriber->wait(), 0) << subscriber->report();
    EXPECT_EQ(subscriber->out(), lines);
    // Left to itself Paho C 1.3.12 sends one a second then.
    EXPECT_LT(taken, std::chrono::seconds(15));
  }
  EXPECT_FALSE(contains(broker.log(), "receive maximum"));
}

TEST(ProtocolOfRogues, WhatConnackSaysThatTheBrokerDoesNotTakeIsNotSent) {
  const std::tuple<std::string, Arguments, std::string> table[] = {
      {"\x20\x05\x00\x00\x02\x24\x01"s, {"-q", "2"}, "it takes QoS 1 at most"},
      {"\x20\x05\x00\x00\x02\x25\x00"s, {"-r"}, "it keeps no retained messages"},
      {"\x20\x08\x00\x00\x05\x27\x00\x00\x00\x08"s, {"-q", "1"}, "it takes packets of 8 bytes at most"},
      {"\x20\x03\x00\x00\x00"s, {"-D", "publish", "topic-alias", "1"}, "it takes no topic alias"},
      {"\x20\x06\x00\x00\x03\x22\x00\x02"s, {"-D", "publish", "topic-alias", "3"}, "it takes topic aliases up to 2"},
  };
  for (const auto& [connack, options, words] : table) {
    const RogueBroker rogue{{{RogueBroker::connect_packet, connack}}};
    const Result result = run(tool(PUB, rogue.port(), Arguments{"-V", "5", "-t", "a", "-m", "x"} + options));
    EXPECT_EQ(result.status, 5) << result.report;
    EXPECT_TRUE(contains(result.err, "would refuse the message to a: " + words + "\n")) << result.report;
  }
  // Exactly as large as it may be: 1 + 1 + (2 + 1) + 2 + 1 + 1 bytes.
  const RogueBroker rogue{{{RogueBroker::connect_packet, "\x20\x08\x00\x00\x05\x27\x00\x00\x00\x09"s},
                           {RogueBroker::publish_packet, "\x40\x02\x00\x01"s}}};
  expect_success(run(tool(PUB, rogue.port(), {"-V", "5", "-t", "a", "-m", "x", "-q", "1"})));
}

// Subscribing -------------------------------------------------------------------------------------------------

TEST_F(Protocol, RetainAsPublishedAndRetainHandlingAreSent) {
  const Broker broker;
  expect_success(run(pub(broker, {"-t", "kept/1", "-m", "old", "-r", "-q", "1"})));
  for (const Arguments& filters : {Arguments{"-t", "kept/#"}, Arguments{"-t", "kept/#", "-t", "other"}}) {
    const auto one =
        subscribed(broker, Arguments{"-V", "5", "-d", "--retain-as-published", "--retain-handling", "never"} + filters);
    const auto other = subscribed(broker, Arguments{"-V", "5", "-d"} + filters);
    other->wait_for_stdout("old\n");
    expect_success(run(pub(broker, {"-t", "kept/2", "-m", "new", "-r", "-q", "1"})));
    one->wait_for_stderr("<- PUBLISH  kept/2, QoS 0, retained, payload of 3 bytes");
    one->wait_for_stdout("new\n");
    EXPECT_EQ(one->out(), "new\n");
    other->wait_for_stderr("<- PUBLISH  kept/2, QoS 0, payload of 3 bytes");
    expect_success(run(pub(broker, {"-t", "kept/2", "-m", "", "-r", "-q", "1"})));
  }
}

TEST(ProtocolOfRogues, WhyASubscriptionWasRefusedIsSaidByName) {
  const RogueBroker one{{{RogueBroker::connect_packet, "\x20\x03\x00\x00\x00"s},
                         {RogueBroker::subscribe_packet, "\x90\x04\x00\x01\x00\x87"s}}};
  const Result result = run(tool(SUB, one.port(), {"-V", "5", "-t", "secret", "-d"}));
  EXPECT_EQ(result.status, 5) << result.report;
  EXPECT_TRUE(contains(result.err, "<- SUBACK  packet id 1, not authorized (0x87), 6 bytes")) << result.report;
  EXPECT_TRUE(contains(result.err, "sub: the broker refused the subscription to secret: not authorized (0x87)\n"))
      << result.report;
}

TEST(ProtocolOfRogues, WhereTheFirstOfSeveralIsRefusedTheOthersAreKnownToo) {
  const RogueBroker rogue{{{RogueBroker::connect_packet, "\x20\x03\x00\x00\x00"s},
                           {RogueBroker::subscribe_packet, "\x90\x06\x00\x01\x00\x87\x01\xA2"s}}};
  Process process{tool(SUB, rogue.port(), {"-V", "5", "-t", "secret", "-t", "open", "-t", "wild/#", "-d", "-q", "1"})};
  process.wait_for_stderr("subscribed to open (QoS 1)");
  for (const char* line :
       {"<- SUBACK  packet id 1, not authorized (0x87), QoS 1 granted, wildcard subscriptions",
        "the broker refused the subscription to secret: not authorized (0x87)",
        "the broker refused the subscription to wild/#: wildcard subscriptions not supported (0xA2)"}) {
    EXPECT_TRUE(contains(process.err(), line)) << process.report();
  }
}

TEST_F(Protocol, WhatWasUnsubscribedIsSilentAlsoAfterALoss) {
  for (const char* version : {"311", "5"}) {
    Broker broker;
    const auto subscriber = subscribed(broker, {"-V", version, "-t", "a", "-t", "b", "-U", "a", "-U", "never", "-v"});
    const auto publish = [&](const std::string& payload) {
      for (const char* topic : {"a", "b"}) {
        expect_success(run(pub(broker, {"-t", topic, "-m", payload, "-q", "1"})));
      }
    };
    publish("1");
    subscriber->wait_for_stdout("b 1\n");
    broker.stop();
    broker.start();
    subscriber->wait_for_stderr("connected again");
    publish("2");
    subscriber->wait_for_stdout("b 2\n");
    EXPECT_EQ(subscriber->out(), "b 1\nb 2\n");
  }
}

TEST_F(Protocol, UnsubscribingCarriesItsPropertiesAndItsAnswerIsShown) {
  const Broker broker;
  const auto subscriber = subscribed(broker, {"-V", "5", "-t", "a", "-U", "a", "-U", "never", "-d", "-D", "unsubscribe",
                                              "user-property", "reason", "enough"});
  for (const char* line : {"-> UNSUBSCRIBE  packet id 2, a, never, user-property reason enough",
                           "<- UNSUBACK  packet id 2, success (0x00), no subscription existed (0x11)"}) {
    subscriber->wait_for_stderr(line);
  }
}

}  // namespace
}  // namespace sistem::test
