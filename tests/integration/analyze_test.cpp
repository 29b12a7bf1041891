// Captures of what the tools do well and badly, and what compose/explain tells of them. The frames that a finding must
// name are asked of tshark, so that none is right by luck.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>

#include "common/descriptor.hpp"
#include "common/dial.hpp"
#include "tests/integration/explained.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/own_network.hpp"
#include "tests/support/rogue_broker.hpp"

namespace sistem::test {
namespace {

using namespace std::string_literals;

using Frames = std::vector<std::uint64_t>;
using Strings = std::vector<std::string>;

void end(Process& process) {
  process.signal(SIGTERM);
  EXPECT_EQ(process.wait(), 0) << process.report();
}

/// The frames that a display filter of tshark's lets through.
Frames frames(const Capture& wire, const std::string& filter) { return wire.numbers(filter, "frame.number"); }
/// The one frame that it lets through.
[[maybe_unused]] std::uint64_t frame(const Capture& wire, const std::string& filter) {
  const Frames all = frames(wire, filter);
  EXPECT_EQ(all.size(), 1U) << filter;
  return all.empty() ? 0 : all.front();
}

TEST_F(Explained, AGoodConversationIsToldFromTheHandshakeToTheGoodbye) {
  Broker broker;
  record(broker);
  const auto subscriber = subscribed(broker, {"-t", "room/#", "-q", "2", "-i", "reader", "-C", "3"});
  const Result publisher = run(pub(broker, {"--jsonl", "-i", "sensor"}),
                               R"({"topic":"room/a","payload":"zero","qos":0})"
                               "\n"
                               R"({"topic":"room/b","payload":"one!!","qos":1,"retain":true})"
                               "\n"
                               R"({"topic":"room/c","payload":"two","qos":2})"
                               "\n");
  EXPECT_EQ(publisher.status, 0) << publisher.report;
  EXPECT_EQ(subscriber->wait(), 0) << subscriber->report();
  broker.stop();
  stop_recording();
  const Findings told = findings(broker.port());
  EXPECT_EQ(told.wrong(), Strings{});
}

TEST_F(Explained, ARefusalIsNamedWithItsCode) {
  Broker broker{"allow_anonymous false\n"};
  record(broker);
  EXPECT_EQ(run(pub(broker, {"-t", "a", "-m", "x"})).status, 4);
  broker.stop();
  stop_recording();
  const Findings told = findings(broker.port());
}

TEST_F(Explained, AWillFollowsTheKilledClientsEnd) {
  Broker broker;
  record(broker);
  const auto watcher = subscribed(broker, {"-t", "will/#", "-C", "1"});
  const auto dies = subscribed(broker, {"-t", "x", "-i", "mortal", "--will-topic", "will/mortal", "--will-payload", "bye"});
  dies->signal(SIGKILL);
  EXPECT_EQ(dies->wait(), 128 + SIGKILL);
  EXPECT_EQ(watcher->wait(), 0) << watcher->report();
  broker.stop();
  stop_recording();
  const Findings told = findings(broker.port());
}

TEST_F(Explained, ATopicWithoutSubscriberIsNamed) {
  Broker broker;
  record(broker);
  const auto subscriber = subscribed(broker, {"-t", "room/+", "-C", "1"});
  expect_success(run(pub(broker, {"-t", "rom/a", "-m", "lost", "-q", "1"})));
  expect_success(run(pub(broker, {"-t", "room/a", "-m", "heard"})));
  EXPECT_EQ(subscriber->wait(), 0) << subscriber->report();
  broker.stop();
  stop_recording();
  const Findings told = findings(broker.port());
}

TEST_F(Explained, ATakenIdIsNamed) {
  Broker broker;
  record(broker);
  for (const std::string version : {"311", "5"}) {
    const auto first = subscribed(broker, {"-t", "x", "-i", "twin" + version, "-V", version, "--no-reconnect"});
    const auto second = subscribed(broker, {"-t", "x", "-i", "twin" + version, "-V", version});
    EXPECT_EQ(first->wait(), 3) << first->report();
    end(*second);
  }
  broker.stop();
  stop_recording();
  const Findings told = findings(broker.port());
}

TEST_F(Explained, AClientThatSaysNothingIsNamed) {
  Broker broker;
  record(broker);
  {
    ConnectionConfig config;
    const Dialed mute = Dialer{{.host = "127.0.0.1", .port = broker.port()}}.dial(never, {});
    broker.wait_for_log("New connection from");
  }
  broker.stop();
  stop_recording();
  const Findings told = findings(broker.port());
}

TEST_F(Explained, ABrokerThatSaysNothingIsNamed) {
  std::uint16_t port = 0;
  {
    const RogueBroker mute{std::vector<RogueBroker::Reply>{}};
    port = mute.port();
    record({port});
    EXPECT_EQ(run(tool(PUB, port, {"-t", "a", "-m", "x", "-W", "0.5"})).status, 27);
  }
  stop_recording();
  const Findings told = findings(port);
}

TEST_F(Explained, ARefusedConnectionIsNamed) {
  const std::uint16_t port = free_port();
  record({port});
  EXPECT_EQ(run(tool(PUB, port, {"-t", "a", "-m", "x"})).status, 3);
  stop_recording();
  const Findings told = findings(port);
}

TEST_F(Explained, ARetransmissionIsToldWithWhatItRepeats) {
  if (!OwnNetwork::possible()) {
    GTEST_SKIP() << "losing packets needs a network of the test's own, and the right to make one";
  }
  const OwnNetwork network;
  for (const std::string chain : {"INPUT", "OUTPUT"}) {
    Broker broker{"allow_anonymous true\n"};
    record(broker);
    const auto subscriber = subscribed(broker, {"-t", "room", "-C", "20"});
    network.lose(broker.port(), 7, 12, chain);
    expect_success(run(pub(broker, {"-t", "room", "-m", "again", "--repeat", "20", "--rate", "100", "-q", "1"})));
    EXPECT_EQ(subscriber->wait(), 0) << subscriber->report();
    broker.stop();
    stop_recording();
    const Findings told = findings(broker.port());
    std::filesystem::copy_file(file_, folder_ / (chain + ".pcap"));
  }
}

TEST_F(Explained, TlsIsReadWithTheKeyLogAndNamedWithout) {
  const Authority authority;
  const auto pair = authority.issue("broker", "DNS:localhost,IP:127.0.0.1");
  const std::uint16_t port = free_port();
  Broker broker{fmt::format("allow_anonymous true\nlistener {} 127.0.0.1\ncafile {}\ncertfile {}\nkeyfile {}\n", port,
                            authority.certificate().string(), pair.certificate.string(), pair.key.string())};
  const std::string keys = folder_ / "keys.txt";
  record({port});
  const Result result = run(tool(PUB, port,
                                 {"--cafile", authority.certificate(), "--tls-keylog", keys, "-t", "some/topic", "-m",
                                  "hidden", "-q", "1"}));
  expect_success(result);
  broker.wait_for_log("Received DISCONNECT");
  broker.stop();
  stop_recording();
  const Findings closed = findings(port);
  const Findings told = findings(port, {"--keylog", keys});
}

TEST_F(Explained, ReasonCodesAndPropertiesOfMqtt5AreTold) {
  TemporaryFolder folder;
  const auto rules = folder.write("acl", "topic read open/#\ntopic write open/#\n");
  Broker broker{"allow_anonymous true\nacl_file " + rules.string() + "\n"};
  record(broker);
  const auto subscriber = subscribed(broker, {"-V", "5", "-t", "open/#", "-t", "secret/#", "-q", "1", "-C", "1"});
  EXPECT_EQ(run(pub(broker, {"-V", "5", "-t", "secret/a", "-m", "x", "-q", "1"})).status, 5);
  expect_success(run(pub(broker, {"-V", "5", "-t", "open/a", "-m", "x", "-q", "1", "-D", "publish", "content-type",
                                  "text/plain", "-D", "publish", "user-property", "who", "me"})));
  EXPECT_EQ(subscriber->wait(), 5) << subscriber->report();
  broker.stop();
  stop_recording();
  const Findings told = findings(broker.port());
}

TEST_F(Explained, AddressesMayBeOfIPv6) {
  const std::uint16_t port = free_port();
  Broker broker{fmt::format("allow_anonymous true\nlistener {} ::1\n", port)};
  record({port});
  Start start = tool(PUB, port, {"-t", "a", "-m", "x", "-q", "1"});
  start.environment["MQTT_HOST"] = "::1";
  expect_success(run(start));
  broker.wait_for_log("Received DISCONNECT");
  broker.stop();
  stop_recording();
  const Findings told = findings(port);
}

TEST_F(Explained, StepsOf40MillisecondsAreNamed) {
  Broker broker;
  record(broker);
  {
    const Dialed dialed = Dialer{{.host = "127.0.0.1", .port = broker.port()}}.dial(never, {});
    const int client = dialed.channel.fd();
    const int off = 0;  // Nagle's algorithm: a small segment waits until the one before is acknowledged
    ASSERT_EQ(::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &off, sizeof off), 0);
    const auto send = [&](const std::string& bytes) {
      ASSERT_EQ(::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
    };
    const auto receive = [&](std::size_t size) {
      std::string bytes(size, '\0');
      pollfd ready{client, POLLIN, 0};
      ::fcntl(client, F_SETFL, ::fcntl(client, F_GETFL) & ~O_NONBLOCK);
      ASSERT_EQ(::poll(&ready, 1, 5000), 1);
      ASSERT_EQ(::recv(client, bytes.data(), size, MSG_WAITALL), static_cast<ssize_t>(size));
    };
    send("\x10\x11\0\4MQTT\4\2\0\x3C\0\5nagle"s);
    receive(4);
    for (int message = 0; message < 8; ++message) {
      send("\x32\x0A\0\4"s);
      send("room\0\1hi"s);
      receive(4);
    }
    send("\xE0\0"s);
  }
  broker.wait_for_log("Received DISCONNECT");
  broker.stop();
  stop_recording();
  const Findings told = findings(broker.port());
}

}  // namespace
}  // namespace sistem::test
