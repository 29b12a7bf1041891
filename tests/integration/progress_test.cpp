// Brokers that close the connection on a packet, throw a client out, or are shared by two clients with one id.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <thread>
#include <utility>

#include "tests/integration/tools.hpp"
#include "tests/support/rogue_broker.hpp"

namespace sistem::test {
namespace {

using namespace std::string_literals;

const RogueBroker::Reply accepted{RogueBroker::connect_packet, "\x20\x02\x00\x00"s};
const RogueBroker::Reply accepted_5{RogueBroker::connect_packet, "\x20\x03\x00\x00\x00"s};
const RogueBroker::Reply closes_on_publish{RogueBroker::publish_packet, "", true};
const RogueBroker::Reply closes_on_subscribe{RogueBroker::subscribe_packet, "", true};

std::string at(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

/// DISCONNECT of MQTT 5.
std::string dismissal(int code) { return "\xE0\x02"s + static_cast<char>(code) + "\0"s; }

/// Whatever else may be said before it.
void expect_last_words(const Result& result, int status, const std::string& line) {
  EXPECT_EQ(result.status, status) << result.report;
  EXPECT_TRUE(result.err.ends_with(line + "\n")) << "expected: " << line << "\n" << result.report;
}

int published(const RogueBroker& rogue, const std::string& topic = "") {
  const auto packets = rogue.packets();
  return static_cast<int>(std::count_if(packets.begin(), packets.end(), [&](const Packet& packet) {
    return packet.type == PacketType::publish && (topic.empty() || packet.topic == topic);
  }));
}

void wait_until(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!holds() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ASSERT_TRUE(holds());
}

bool is_bad(const Packet& publish) { return publish.topic == "bad"; }
bool is_good(const Packet& publish) { return publish.topic != "bad"; }

std::string acknowledge(const Packet& publish) { return acknowledgement(4, *publish.id); }

TEST(Progress, AMessageThatTheBrokerClosesTheConnectionForIsNamed) {
  for (const char* qos : {"1", "2"}) {
    for (const char* version : {"311", "5"}) {
      const RogueBroker rogue{{version == "5"s ? accepted_5 : accepted, closes_on_publish}};
      expect_last_words(run(tool(PUB, rogue.port(), {"-V", version, "-t", "forbidden", "-m", "12345", "-q", qos})), 5,
                        fmt::format("pub: the broker at {} closes the connection each time it gets the message to "
                                    "forbidden (5 bytes, QoS {}): is it allowed there, is it too large?",
                                    at(rogue.port()), qos));
      EXPECT_EQ(rogue.connections(), 3);
    }
  }
}

TEST(Progress, AKeptSessionEndsTooAndNamesIt) {
  const RogueBroker rogue{{accepted, closes_on_publish}};
  expect_last_words(
      run(tool(PUB, rogue.port(), {"-c", "-i", "kept", "-t", "forbidden", "-m", "12345", "-q", "1"})), 5,
      fmt::format("pub: the broker at {} closes the connection each time it gets the message to forbidden "
                  "(5 bytes, QoS 1): is it allowed there, is it too large?",
                  at(rogue.port())));
}

TEST(Progress, FiltersThatTheBrokerClosesTheConnectionForAreNamed) {
  const RogueBroker rogue{{accepted, closes_on_subscribe}};
  const std::string asked =
      fmt::format("the broker at {} closes the connection each time it is asked to subscribe to ", at(rogue.port()));
  expect_last_words(run(tool(SUB, rogue.port(), {"-t", "a/#", "-W", "15"})), 5,
                    "sub: " + asked + "a/#: is that allowed there?");
  expect_last_words(run(tool(SUB, rogue.port(), {"-t", "a", "-t", "b"})), 5,
                    "sub: " + asked + "a, b: are all 2 allowed there, are they too many at once?");
  expect_last_words(run(tool(PUB, rogue.port(), {"--ping", "-t", "p", "-W", "15"})), 5,
                    "pub: " + asked + "p: is that allowed there?");
  expect_last_words(run(tool(PUB, rogue.port(), {"-V", "311", "--request", "-t", "q", "-m", "x", "-W", "15"})), 5,
                    "pub: " + asked + "q/response: is that allowed there?");
}

TEST(Progress, SoAreThoseOfARenewal) {
  const RogueBroker rogue{
      {accepted, {RogueBroker::subscribe_packet, "\x90\x03\x00\x01\x00"s}, {RogueBroker::ping_packet, "", true}},
      {accepted, closes_on_subscribe}};
  const Result result = run(tool(SUB, rogue.port(), {"-t", "a", "-k", "1"}));
  expect_last_words(result, 5,
                    fmt::format("sub: the broker at {} closes the connection each time it is asked to subscribe to a: "
                                "is that allowed there?",
                                at(rogue.port())));
}

TEST(Progress, FiltersOfUnsubscribeToo) {
  constexpr int unsubscribe_packet = 10;
  const RogueBroker rogue{
      {accepted, {RogueBroker::subscribe_packet, "\x90\x03\x00\x01\x00"s}, {unsubscribe_packet, "", true}}};
  expect_last_words(run(tool(SUB, rogue.port(), {"-t", "a", "-U", "b"})), 5,
                    fmt::format("sub: the broker at {} closes the connection each time it is asked to unsubscribe from "
                                "b: is that allowed there?",
                                at(rogue.port())));
}

TEST(Progress, GoodLinesAroundABadOneAreAcknowledgedAndNotRepeated) {
  NEEDS_MOSQUITTO();
  // Before MQTT 5 Mosquitto closes the connection on a packet that is too large.
  const Broker broker{"allow_anonymous true\nmax_packet_size 200\n"};
  Process subscriber{sub(broker, {"-t", "#", "-q", "1"})};
  subscriber.wait_for_stderr("subscribed to");
  const std::string bad = std::string(1000, 'x') + "\n";
  for (const auto& [options, notes] : {std::pair<Arguments, std::string>{{}, "is it too large?"},
                                       {{"--on-refused", "skip"}, "2 of 22 messages were refused; the first: "},
                                       {{"--report"}, "2 of 22 messages were refused; the first: "}}) {
    const Result result = run(pub(broker, options + Arguments{"-t", "a", "-q", "1", "-l"}),
                              numbered(10) + bad + (options.empty() ? "" : bad) + numbered(10));
    EXPECT_EQ(result.status, 5) << result.report;
    EXPECT_NE(result.err.find(notes), std::string::npos) << result.report;
    EXPECT_NE(result.err.find("closes the connection each time it gets the message to a (1000 bytes, QoS 1)"),
              std::string::npos)
        << result.report;
    ASSERT_EQ(run(pub(broker, {"-t", "end", "-m", "end", "-q", "1"})).status, 0);
    subscriber.wait_for_stdout("end\n");
  }
  subscriber.signal(SIGTERM);
  EXPECT_EQ(subscriber.wait(), 0);
  std::map<std::string, int> arrivals;
  std::istringstream stream(subscriber.out());
  for (std::string line; std::getline(stream, line);) {
    ++arrivals[line];
  }
  for (int line = 1; line <= 10; ++line) {
    EXPECT_GE(arrivals[std::to_string(line)], 6) << line;
    EXPECT_LE(arrivals[std::to_string(line)], 6 + 3 * 2) << line << " was published again and again";
  }
}

TEST(Progress, AMessageOfQos0ThatDoesNotGoOutWholeIsNamedToo) {
  NEEDS_MOSQUITTO();
  const Broker broker{"allow_anonymous true\nmax_packet_size 1000000\n"};
  const std::string bad(30'000'000, 'x');
  const std::string words = "closes the connection each time it gets the message to a (30000000 bytes, QoS 0)";
  const Result alone = run(pub(broker, {"-t", "a", "-s"}), bad);
  EXPECT_EQ(alone.status, 5) << alone.report;
  EXPECT_NE(alone.err.find(words), std::string::npos) << alone.report;
  const Result among_others =
      run(pub(broker, {"-t", "a", "-l", "--on-refused", "skip"}), numbered(10) + bad + "\n" + numbered(10));
  EXPECT_EQ(among_others.status, 5) << among_others.err;
  EXPECT_NE(among_others.err.find(words), std::string::npos) << among_others.err;
}

TEST(Progress, WhereAcknowledgementsAreLostWithTheConnectionEachMessageIsSentAlone) {
  // What this broker has to acknowledge on a connection is lost where the bad message is on its way, too: as with
  // aedes, which does it later.
  const auto hasty = std::make_shared<std::atomic<int>>(0);
  const auto counts = [hasty](const Packet& /*connect*/) {
    ++*hasty;
    return "\x20\x02\x00\x00"s;
  };
  const RogueBroker rogue{
      {{RogueBroker::connect_packet, "", false, counts},
       {RogueBroker::publish_packet, "", true, {}, 0, is_bad},
       {RogueBroker::publish_packet, "", false,
        [hasty](const Packet& publish) { return *hasty < 3 ? "" : acknowledge(publish); }, 0, is_good}}};
  const Result result =
      run(tool(PUB, rogue.port(), {"-q", "1", "--topic-lines"}), "one 1\ntwo 2\nthree 3\nbad 4\nfive 5\nsix 6\n");
  expect_last_words(result, 5,
                    fmt::format("pub: the broker at {} closes the connection each time it gets the message to bad (1 "
                                "byte, QoS 1): is it allowed there, is it too large?",
                                at(rogue.port())));
  for (const char* topic : {"one", "two", "three", "five", "six"}) {
    EXPECT_GE(published(rogue, topic), 1) << topic;
    EXPECT_LE(published(rogue, topic), 3) << topic;
  }
  EXPECT_LE(published(rogue, "bad"), 5);
}

TEST(Progress, AConnectionThatIsClosedWhateverIsSentIsNotBlamedOnAPacket) {
  const RogueBroker rogue{{{RogueBroker::connect_packet, "\x20\x02\x00\x00"s, true}}};
  const Result result = run(tool(SUB, rogue.port(), {"-t", "a", "--reconnect-for", "2"}));
  EXPECT_EQ(result.status, 3) << result.report;
  EXPECT_EQ(result.err.find("not regained"), std::string::npos) << result.report;
  EXPECT_NE(result.err.find("before it was of use"), std::string::npos) << result.report;
  const Result late = run(tool(SUB, rogue.port(), {"-t", "a", "-W", "0.5"}));
  EXPECT_EQ(late.status, 27) << late.report;
  EXPECT_NE(late.err.find("accepts the connection and closes it"), std::string::npos) << late.report;
  EXPECT_EQ(late.err.find("has not answered"), std::string::npos) << late.report;
}

TEST(Progress, ABrokerThatIsKilledAgainAndAgainIsNotBlamedOnTheMessageThatWaits) {
  auto rogue = std::make_unique<RogueBroker>(std::vector<RogueBroker::Reply>{accepted});  // acknowledges nothing
  const std::uint16_t port = rogue->port();
  Process publisher{tool(PUB, port, {"-t", "a", "-m", "x", "-q", "1", "--reconnect-max-delay", "0.2"})};
  for (int death = 0; death < 4; ++death) {
    wait_until([&] { return published(*rogue) > 0; });
    rogue.reset();
    publisher.wait_for_stderr("lost the connection");
    std::this_thread::sleep_for(std::chrono::milliseconds(400));  // at least one attempt finds no broker
    std::vector<RogueBroker::Reply> replies{accepted};
    if (death == 3) {
      replies.push_back({RogueBroker::publish_packet, "", false, acknowledge});
    }
    rogue = std::make_unique<RogueBroker>(replies, replies, RogueBroker::Clients::mqtt, port);
  }
  EXPECT_EQ(publisher.wait(), 0) << publisher.report();
}

TEST(Progress, ADisconnectThatRefusesWhatWasSentEndsTheRun) {
  const std::tuple<int, std::string> table[] = {
      {0x81, "malformed packet"},
      {0x82, "protocol error"},
      {0x87, "not authorized"},
      {0x8F, "topic filter invalid"},
      {0x90, "topic name invalid"},
      {0x94, "topic alias invalid"},
      {0x95, "packet too large"},
      {0x99, "payload format invalid"},
      {0x9A, "retain not supported"},
      {0x9B, "QoS not supported"},
      {0x9E, "shared subscriptions not supported"},
      {0xA1, "subscription identifiers not supported"},
      {0xA2, "wildcard subscriptions not supported"},
  };
  for (const auto& [code, name] : table) {
    const RogueBroker rogue{{accepted_5,
                             {RogueBroker::publish_packet, dismissal(code), true},
                             {RogueBroker::subscribe_packet, dismissal(code), true}}};
    const std::string what =
        fmt::format("the broker at {} has disconnected us: {} (0x{:02X})", at(rogue.port()), name, code);
    const Result publisher = run(tool(PUB, rogue.port(), {"-V", "5", "-t", "a", "-m", "x", "-q", "1"}));
    EXPECT_EQ(publisher.status, 5) << publisher.report;
    EXPECT_EQ(publisher.err, "pub: " + what + "; not acknowledged: the message to a\n");
    const Result subscriber = run(tool(SUB, rogue.port(), {"-V", "5", "-t", "a/#", "-t", "b"}));
    EXPECT_EQ(subscriber.status, 5) << subscriber.report;
    EXPECT_EQ(subscriber.err, "sub: " + what + "; not answered: SUBSCRIBE to a/#, b\n");
    EXPECT_EQ(rogue.connections(), 2);
  }
}

TEST(Progress, OtherReasonsOfADisconnectDoNot) {
  for (const int code : {0x89, 0x8B, 0x93, 0x96, 0x97, 0x98, 0xA0}) {
    const RogueBroker rogue{{accepted_5, {RogueBroker::publish_packet, dismissal(code), true}},
                            {accepted_5, {RogueBroker::publish_packet, "\x40\x02\x00\x01"s}}};
    const Result result = run(tool(PUB, rogue.port(), {"-V", "5", "-t", "a", "-m", "x", "-q", "1"}));
    EXPECT_EQ(result.status, 0) << result.report;
    EXPECT_EQ(rogue.connections(), 2) << result.report;
  }
}

TEST(Progress, WithSkipADisconnectRefusesOneMessageAndTheOthersGoOn) {
  const RogueBroker rogue{{accepted_5,
                           {RogueBroker::publish_packet, dismissal(0x99), true, {}, 0, is_bad},
                           {RogueBroker::publish_packet, "", false, acknowledge, 0, is_good}}};
  const Result result = run(tool(PUB, rogue.port(), {"-V", "5", "-q", "1", "--topic-lines", "--on-refused", "skip"}),
                            "good 1\nbad 2\ngood 3\n");
  EXPECT_EQ(result.status, 5) << result.report;
  EXPECT_NE(result.err.find("the message to bad (1 byte, QoS 1)"), std::string::npos) << result.report;
  EXPECT_TRUE(result.err.find("1 of 3 messages were refused") != std::string::npos) << result.report;
}

TEST(Progress, WithSkipMessagesThatTheBrokerRefusesAreReportedAndTheOthersGoOn) {
  const auto says_no = [](const Packet& publish) { return "\x40\x03\0"s + static_cast<char>(*publish.id) + "\x87"; };
  const RogueBroker rogue{{accepted_5,
                           {RogueBroker::publish_packet, "", false, says_no, 0, is_bad},
                           {RogueBroker::publish_packet, "", false, acknowledge, 0, is_good}}};
  const std::string lines = "good 1\nbad 2\ngood 3\nbad 4\ngood 5\n";
  const Result skipping =
      run(tool(PUB, rogue.port(), {"-V", "5", "-q", "1", "--topic-lines", "--on-refused", "skip"}), lines);
  const std::string refused = "pub: the broker refused the message to bad: not authorized (0x87)\n";
  EXPECT_EQ(skipping.status, 5) << skipping.report;
  EXPECT_EQ(skipping.err,
            refused + refused +
                "pub: 2 of 5 messages were refused; the first: the broker refused the message to bad: not "
                "authorized (0x87)\n");
  EXPECT_EQ(published(rogue), 5);
  const Result stopping =
      run(tool(PUB, rogue.port(), {"-V", "5", "-q", "1", "--topic-lines", "--on-refused", "stop", "--report"}), lines);
  EXPECT_EQ(stopping.status, 5) << stopping.report;
  EXPECT_EQ(stopping.err, refused);
}

TEST(Progress, ARefusalOfQos0ThatPubHasReadIsNoSuccess) {
  const RogueBroker refusing{{accepted_5, {RogueBroker::publish_packet, dismissal(0x99), true}}};
  Process publisher{tool(PUB, refusing.port(), {"-V", "5", "-t", "a", "-l", "-d"})};
  publisher.write("x\n");
  publisher.wait_for_stderr("<- DISCONNECT");
  publisher.close_stdin();
  EXPECT_EQ(publisher.wait(), 5) << publisher.report();
  EXPECT_TRUE(publisher.err().ends_with("has disconnected us: payload format invalid (0x99)\n")) << publisher.report();
}

TEST(Progress, NorIsAConnectionThatWasLostWithIt) {
  // It is lost for good: the listener goes with it.
  auto rogue = std::make_unique<RogueBroker>(std::vector<RogueBroker::Reply>{accepted});
  Process publisher{tool(PUB, rogue->port(), {"-t", "a", "-l"})};
  publisher.write("x\n");
  wait_until([&] { return published(*rogue) > 0; });
  rogue.reset();
  publisher.wait_for_stderr("lost the connection");
  publisher.close_stdin();
  EXPECT_EQ(publisher.wait(), 3) << publisher.report();
  EXPECT_TRUE(publisher.err().ends_with("may not have arrived\n")) << publisher.report();
}

TEST(Progress, WhoIsThrownOutForGoodDoesNotComeBack) {
  const std::tuple<std::string, std::string> table[] = {
      {dismissal(0x8E), "session taken over (0x8E), another client has connected with the id twin"},
      {"\xE0\x0A\x9D\x08\x1C\x00\x05"s + "other", "server moved (0x9D), use other"},
      {"\xE0\x0A\x9C\x08\x1C\x00\x05"s + "other", "use another server (0x9C), use other"},
  };
  for (const auto& [bytes, words] : table) {
    const RogueBroker rogue{{accepted_5, {RogueBroker::subscribe_packet, "\x90\x04\x00\x01\x00\x00"s + bytes, true}}};
    const Result result = run(tool(SUB, rogue.port(), {"-V", "5", "-t", "a", "-i", "twin"}));
    EXPECT_EQ(result.status, 4) << result.report;
    EXPECT_TRUE(
        result.err.ends_with(fmt::format("sub: the broker at {} has disconnected us: {}\n", at(rogue.port()), words)))
        << result.report;
    EXPECT_EQ(rogue.connections(), 1);
  }
}

TEST(Progress, TwoClientsWithOneIdAreAskedAbout) {
  NEEDS_MOSQUITTO();
  const Broker broker;
  Process one{sub(broker, {"-t", "a", "-i", "twin"})};
  one.wait_for_stderr("subscribed to");
  Process other{sub(broker, {"-t", "a", "-i", "twin"})};
  one.wait_for_stderr("closes each connection within a second: is another client using the id twin?");
  one.signal(SIGTERM);
  other.signal(SIGTERM);
  EXPECT_EQ(one.wait(), 0) << one.report();
}

}  // namespace
}  // namespace sistem::test
