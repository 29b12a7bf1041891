#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "tests/integration/tools.hpp"
#include "tests/support/loopback.hpp"
#include "tests/support/peer.hpp"
#include "tests/support/rogue_broker.hpp"

namespace sistem::test {
namespace {

using namespace std::string_literals;

const std::string connack_says_yes = "\x20\x02\x00\x00"s;
const std::string suback_says_yes = "\x90\x03\x00\x01\x00"s;
/// Takes a subscriber, and then does to it what the test wants.
Peer::Serve subscribed_and_then(const Peer::Serve& end) {
  return [end](int client, const std::stop_token& stop) {
    (void)heard_from(client, stop);
    say(client, connack_says_yes);
    (void)heard_from(client, stop);
    say(client, suback_says_yes);
    end(client, stop);
  };
}

bool has(const Process& process, const std::string& text) { return process.err().find(text) != std::string::npos; }

std::string lost(const Peer& peer, const std::string& why) {
  return "lost the connection to the broker at 127.0.0.1:" + std::to_string(peer.port()) + " (" + why +
         "); trying to regain it\n";
}

TEST(LossReason, ThatTheBrokerHasClosedTheConnectionIsTold) {
  const Peer peer{subscribed_and_then([](int, const std::stop_token&) {})};
  Process subscriber{tool(SUB, peer.port(), {"-t", "a", "-d"})};
  subscriber.wait_for_stderr(lost(peer, "closed by the broker"));
  EXPECT_FALSE(has(subscriber, "-> DISCONNECT")) << "to whom? " << subscriber.report();
}

TEST(LossReason, ThatTheConnectionWasResetIsTold) {
  const Peer peer{subscribed_and_then([](int client, const std::stop_token&) { reset(client); })};
  Process subscriber{tool(SUB, peer.port(), {"-t", "a"})};
  subscriber.wait_for_stderr(lost(peer, "connection reset by peer"));
}

TEST(LossReason, ThatNoAnswerHasComeToAPingIsTold) {
  const Peer peer{subscribed_and_then(hear_out)};
  Process subscriber{tool(SUB, peer.port(), {"-t", "a", "-k", "1", "-d"})};
  subscriber.wait_for_stderr("lost the connection to the broker at 127.0.0.1:" + std::to_string(peer.port()) +
                             " (no answer to a ping for ");
  EXPECT_TRUE(has(subscriber, "-> PINGREQ")) << subscriber.report();
  EXPECT_FALSE(has(subscriber, "-> DISCONNECT")) << "a broker that is back would not publish the will";
}

TEST(LossReason, TheStatusOfAWebSocketsCloseFrameIsTold) {
  const std::pair<std::string, std::string> table[] = {
      {"\x03\xF0too many"s, "it closed the WebSocket with status 1008 (policy violation): too many"},
      {"\x03\xE8"s, "it closed the WebSocket with status 1000 (normal closure)"},
      {"", "it closed the WebSocket"},
  };
  for (const auto& [payload, words] : table) {
    const Peer peer{[payload = payload](int client, const std::stop_token& stop) {
      accept_websocket(client, stop);
      (void)heard_from(client, stop);
      say(client, server_frame(2, connack_says_yes));
      (void)heard_from(client, stop);
      say(client, server_frame(2, suback_says_yes) + server_frame(8, payload));
    }};
    Process subscriber{tool(SUB, peer.port(), {"-t", "a", "--ws"})};
    subscriber.wait_for_stderr(lost(peer, words));
  }
}

TEST(LossReason, WhatWasWrongWithABrokersPacketIsTold) {
  const Peer peer{subscribed_and_then([](int client, const std::stop_token& stop) {
    say(client, "\x30\xFF\xFF\xFF\xFF\x01"s);
    hear_out(client, stop);
  })};
  Process subscriber{tool(SUB, peer.port(), {"-t", "a"})};
  subscriber.wait_for_stderr(
      lost(peer, "it sent a packet that is malformed: the length of a packet has more than four bytes"));
}

TEST(LossReason, ABrokerThatHasSaidDisconnectIsToldOnce) {
  const RogueBroker rogue{{{RogueBroker::connect_packet, "\x20\x03\x00\x00\x00"s},
                           {RogueBroker::subscribe_packet, "\x90\x04\x00\x01\x00\x00\xE0\x01\x8B"s, true}}};
  Process subscriber{tool(SUB, rogue.port(), {"-t", "a", "-V", "5"})};
  const std::string where = "127.0.0.1:" + std::to_string(rogue.port());
  subscriber.wait_for_stderr("the broker at " + where + " has disconnected us: server shutting down (0x8B)\n");
  subscriber.wait_for_stderr("lost the connection to the broker at " + where + " (it has disconnected us); trying");
}

TEST(LossReason, TheReasonEndsARunThatIsNotToRegainTheConnection) {
  const Peer peer{subscribed_and_then([](int, const std::stop_token&) {})};
  const Result result = run(tool(SUB, peer.port(), {"-t", "a", "--no-reconnect"}));
  EXPECT_EQ(result.status, 3) << result.report;
  EXPECT_TRUE(result.err.ends_with("sub: lost the connection to the broker at 127.0.0.1:" +
                                   std::to_string(peer.port()) + " (closed by the broker)\n"))
      << result.report;
}

TEST(LossReason, ARunThatEndsWithItsConnectionDoesNotSayThatItTriesToRegainIt) {
  const RogueBroker rogue{
      {{RogueBroker::connect_packet, connack_says_yes}, {RogueBroker::publish_packet, "\x40\x02\x00\x01"s, true}}};
  for (int round = 0; round < 20; ++round) {
    const Result result = run(tool(PUB, rogue.port(), {"-t", "a", "-m", "x", "-q", "1"}));
    EXPECT_EQ(result.status, 0) << result.report;
    EXPECT_EQ(result.err, "") << result.report;
  }
}

class Failover : public testing::Test {
 protected:
  static std::string at(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }
  static Start both(const char* executable, std::uint16_t first, std::uint16_t second, Arguments arguments) {
    arguments.insert(arguments.begin(), {"-h", at(first) + "," + at(second)});
    Start start = tool(executable, first, std::move(arguments));
    start.environment.erase("MQTT_PORT");
    return start;
  }
};

TEST_F(Failover, TheFirstConnectionIsToldByTheBrokerThatItIsTo) {
  NEEDS_MOSQUITTO();
  const Broker broker;
  const std::string there = at(broker.port());
  Process subscriber{both(SUB, free_port(), broker.port(), {"-t", "a", "-d"})};
  subscriber.wait_for_stderr("sub: connected to " + there + ", subscribed to a");
  EXPECT_TRUE(has(subscriber, "connecting to " + there + " (" + there + ")")) << subscriber.report();
  const Result ping = run(both(PUB, free_port(), broker.port(), {"--ping"}));
  EXPECT_EQ(ping.status, 0) << ping.report;
  EXPECT_TRUE(ping.out.starts_with("ping " + there + ": ")) << ping.report;
}

TEST_F(Failover, ALossAndWhatFollowsItNameTheBrokersThatTheyAreAbout) {
  NEEDS_MOSQUITTO();
  Broker first;
  Broker second;
  Process subscriber{both(SUB, first.port(), second.port(), {"-t", "a"})};
  subscriber.wait_for_stderr("connected to " + at(first.port()) + ", subscribed to a");
  first.stop(SIGKILL);
  subscriber.wait_for_stderr("lost the connection to the broker at " + at(first.port()) + " (");
  subscriber.wait_for_stderr("connected again to the broker at " + at(second.port()) + "\n");
  second.stop(SIGKILL);
  subscriber.wait_for_stderr("lost the connection to the broker at " + at(second.port()) + " (");
  first.start();
  subscriber.wait_for_stderr("connected again to the broker at " + at(first.port()) + "\n");
}

TEST_F(Failover, ARefusalNamesTheBrokerThatRefuses) {
  const RogueBroker rogue{{{RogueBroker::connect_packet, "\x20\x02\x00\x05"s, true}}};
  const Result result = run(both(PUB, free_port(), rogue.port(), {"-t", "a", "-m", "x"}));
  EXPECT_EQ(result.status, 4) << result.report;
  EXPECT_NE(result.err.find("the broker at " + at(rogue.port()) + " refused the connection: not authorized"),
            std::string::npos)
      << result.report;
}

}  // namespace
}  // namespace sistem::test
