#include <gtest/gtest.h>

#include "tests/integration/tools.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/loopback.hpp"
#include "tests/support/peer.hpp"
#include "tests/support/rogue_broker.hpp"

namespace sistem::test {
namespace {

using namespace std::string_literals;

/// Says that at once, or in answer to the first bytes it gets, and then nothing more.
Peer::Serve answers(const std::string& bytes, bool at_once = false) {
  return [=](int client, const std::stop_token& stop) {
    if (!at_once) {
      (void)heard_from(client, stop);
    }
    say(client, bytes);
    hear_out(client, stop);
  };
}

/// A run that ends because of what was answered, and not because time is up: -W would end it with 27.
void expect_told(std::uint16_t port, const Arguments& arguments, const std::string& words) {
  for (const bool publishes : {true, false}) {
    const Arguments all = (publishes ? Arguments{"-t", "a", "-m", "x"} : Arguments{"-t", "a", "-W", "9"}) + arguments;
    const Result result = run(tool(publishes ? PUB : SUB, port, all));
    EXPECT_EQ(result.status, 3) << result.report;
    EXPECT_NE(result.err.find("no broker at 127.0.0.1:" + std::to_string(port) + ": " + words + "\n"),
              std::string::npos)
        << result.report;
  }
}

TEST(NotMqtt, WhatAnswersIsNamed) {
  const std::tuple<std::string, Arguments, std::string> table[] = {
      {"\x15\x03\x01\x00\x02\x02\x46"s, {}, "it answers with TLS: --cafile or --tls-use-os-certs?"},
      {"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", {}, "it answers HTTP/1.1 400 Bad Request: --ws?"},
      {"\xF0\x02\x18\x00"s,
       {"-V", "5"},
       "it asks for another step of authentication (AUTH), which this tool cannot do"},
      {"\x30\x04\x00\x01"
       "ax"s,
       {},
       "its first packet is PUBLISH and not CONNACK"},
      {"J\x00\x00\x00\n5.7.44-log"s, {}, "what it answers is not MQTT (its first byte is 0x4A)"},
      {"\x20\x02\x00\xC8"s, {}, "CONNACK with code 200, which MQTT 3.1.1 does not have"},
      {"\x20\x02\x00\xC8"s, {"-V", "31"}, "CONNACK with code 200, which MQTT 3.1 does not have"},
  };
  for (const auto& [bytes, options, words] : table) {
    const Peer peer{answers(bytes)};
    expect_told(peer.port(), options, words);
  }
}

TEST(NotMqtt, ABannerIsShownAsFarAsATerminalTakesIt) {
  const std::string line(100, 'x');
  const std::pair<std::string, std::string> table[] = {
      {"SSH-2.0-OpenSSH_9.2p1\r\n", "it answers \"SSH-2.0-OpenSSH_9.2p1\": is it an MQTT broker?"},
      {"220 mail \x1B[2J\r\n", "it answers \"220 mail \\x1b[2J\": is it an MQTT broker?"},
      {line + "\n", "it answers \"" + line.substr(0, 60) + "...\": is it an MQTT broker?"},
  };
  for (const auto& [banner, words] : table) {
    const Peer peer{answers(banner, true)};
    expect_told(peer.port(), {}, words);
  }
}

TEST(NotMqtt, WhatSendsBackWhatItGetsIsNamed) {
  const Peer peer{[](int client, const std::stop_token& stop) {
    for (std::string bytes = heard_from(client, stop); !bytes.empty(); bytes = heard_from(client, stop)) {
      say(client, bytes);
    }
  }};
  expect_told(peer.port(), {}, "it sends back what it gets: its first packet is CONNECT and not CONNACK");
}

TEST(NotMqtt, APortThatClosesTheConnectionMayWantSomethingElse) {
  const RogueBroker rogue{{{RogueBroker::connect_packet, "", true}}};
  const std::string closed =
      "it accepted the connection, but closed it (it may want TLS: --cafile or --tls-use-os-certs; or a WebSocket: "
      "--ws): ";
  expect_told(rogue.port(), {}, closed + "is it an MQTT broker?");
  expect_told(rogue.port(), {"-V", "5"}, closed + "does it speak MQTT 5?");
}

TEST(NotMqtt, AServerThatSpeaksNoHttpIsNotWaitedForByAWebSocket) {
  const Peer peer{answers("SSH-2.0-OpenSSH_9.2p1\r\n", true)};
  expect_told(peer.port(), {"--ws"}, "the WebSocket's server (at /mqtt) does not speak HTTP");
}

TEST(NotMqtt, AnAlertOfTlsBehindAWebSocketIsTold) {
  NEEDS_MOSQUITTO();
  const Authority authority;
  const auto own = authority.issue("broker", "DNS:localhost");
  const std::uint16_t port = free_port();
  const Broker broker{"allow_anonymous true\nlistener " + std::to_string(port) +
                      "\nprotocol websockets\nrequire_certificate true\ncafile " + authority.certificate().string() +
                      "\ncertfile " + own.certificate.string() + "\nkeyfile " + own.key.string() + "\n"};
  Start start = tool(PUB, port, {"-t", "a", "-m", "x", "--ws", "--cafile", authority.certificate()});
  start.environment["MQTT_HOST"] = "localhost";
  const Result result = run(start);
  EXPECT_EQ(result.status, 3) << result.report;
  EXPECT_NE(result.err.find("closed the connection: TLS: it wants a client's certificate\n"), std::string::npos)
      << result.report;
}

}  // namespace
}  // namespace sistem::test
