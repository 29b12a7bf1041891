// Captures of what the tools do well and badly, and what compose/analyze tells of them. The frames that a finding must
// name are asked of tshark, so that none is right by luck.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "common/net/dial.hpp"
#include "common/process/descriptor.hpp"
#include "tests/integration/explained.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/expect.hpp"
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

/// The frames with a PUBLISH on a topic.
Frames on_topic(const Wire& wire, const std::string& topic) {
  Frames result;
  for (const Seen& seen : wire.all([&](const Seen& each) { return each.has(3) && each.topic == topic; })) {
    result.push_back(seen.number);
  }
  return result;
}

/// Has TCP wait for nobody in the broker, which otherwise holds back what comes soon after a SUBACK.
const std::string without_nagle = "allow_anonymous true\nset_tcp_nodelay true\n";

TEST_F(Explained, AGoodConversationIsToldFromTheHandshakeToTheGoodbye) {
  Broker broker{without_nagle};
  record(broker);
  const auto subscriber = subscribed(broker, {"-t", "room/#", "-q", "2", "-i", "reader", "-C", "3", "--one-by-one"});
  const Result publisher = run(pub(broker, {"--jsonl", "-i", "sensor", "--one-by-one"}),
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
  const Wire wire{file_, broker.port()};
  const char* names[] = {"reader", "sensor"};
  for (int stream = 0; stream < 2; ++stream) {
    const std::string name = names[stream];
    const auto handshake = wire.all([=](const Seen& seen) { return seen.stream == stream; });
    ASSERT_TRUE(handshake.at(0).has('S') && !handshake[0].has('A') && handshake[1].has('S') && handshake[1].has('A') &&
                handshake[2].has('A'));
    told.expect(fmt::format("Frames {}, {} and {}: TCP's handshake of {} with 127.0.0.1:{}: SYN, SYN-ACK, ACK.",
                            handshake[0].number, handshake[1].number, handshake[2].number, name, broker.port()));
    told.expect(fmt::format(
        "Frame {}: CONNECT: {} introduces itself: MQTT 3.1.1, client id {}, clean session, keep alive 60 s.",
        wire.packet(1, stream), name, name));
    told.expect(fmt::format("Frame {}: CONNACK code 0: the broker accepted the client.", wire.packet(2, stream)));
    told.expect(fmt::format("Frames {} and {}: {} said DISCONNECT, then TCP closed: a clean end",
                            wire.packet(14, stream), wire.fin(stream), name));
  }
  told.expect("127.0.0.1 is the broker: connections go to 127.0.0.1, port " + std::to_string(broker.port()));
  told.expect(fmt::format("a subscriber: it got 3 PUBLISH; see frame {}.", wire.packet(8)));
  told.expect(fmt::format("a publisher: it sent 3 PUBLISH, the first in frame {}.", wire.publish(0, 1)));
  told.expect(fmt::format("Frames {} and {}: SUBSCRIBE and SUBACK: reader asked for room/# and was granted QoS 2.",
                          wire.packet(8), wire.packet(9)));
  for (const auto& [qos, words] : {std::pair{0, "4 bytes of payload on the topic name room/a, QoS 0."},
                                   {1, "5 bytes of payload on the topic name room/b, QoS 1, retained."},
                                   {2, "3 bytes of payload on the topic name room/c, QoS 2."}}) {
    told.expect(fmt::format("Frame {}: PUBLISH: sensor sent {}", wire.publish(qos, 1), words));
  }
  // Both layers' answers, in both directions. One ACK may be for several frames, and tshark names the last of them.
  for (int stream = 0; stream < 2; ++stream) {
    const auto ack = [&](std::uint64_t publish) {
      return wire
          .first([=](const Seen& seen) {
            return seen.stream == stream && seen.acks >= publish && seen.to_broker == (stream == 0);
          })
          .number;
    };
    const std::uint64_t qos0 = wire.publish(0, stream);
    told.expect(
        fmt::format("Frame {}: PUBLISH with QoS 0 has one acknowledgement, TCP's ACK in frame {} ", qos0, ack(qos0)));
    const std::uint64_t qos1 = wire.publish(1, stream);
    const std::uint64_t puback = wire.packet(4, stream);
    told.expect(
        ack(qos1) == puback
            ? fmt::format("Frame {}: PUBLISH with QoS 1, packet id 1, has two acknowledgements in one frame, {}", qos1,
                          puback)
            : fmt::format("Frame {}: PUBLISH with QoS 1, packet id 1, has two acknowledgements: TCP's ACK in "
                          "frame {} ",
                          qos1, ack(qos1)));
    told.expect(fmt::format("Frame {}: PUBLISH with QoS 2, packet id 2: TCP's ACK for the bytes is in frame {} ",
                            wire.publish(2, stream), ack(wire.publish(2, stream))));
    told.expect(fmt::format("PUBREC in {}, PUBREL in {}, PUBCOMP in {},", wire.packet(5, stream),
                            wire.packet(6, stream), wire.packet(7, stream)));
  }
  told.expect("The broker passed 3 messages on");
  if (wire.all([](const Seen& seen) { return seen.again || seen.duplicate_ack; }).empty()) {
    told.expect("TCP sent nothing twice: no packet was lost on the way.");
  }
}

TEST_F(Explained, ARefusalIsNamedWithItsCode) {
  Broker broker{"allow_anonymous false\n"};
  record(broker);
  EXPECT_EQ(run(pub(broker, {"-t", "a", "-m", "x", "-i", "stranger", "-u", "who", "-P", "wrong"})).status, 4);
  broker.stop();
  stop_recording();
  const Findings told = findings(broker.port());
  const Wire wire{file_, broker.port()};
  told.expect_wrong(fmt::format("Frame {}: CONNACK code 5 ", wire.packet(2)));
  told.expect(
      fmt::format("Frame {}: CONNECT: stranger introduces itself: MQTT 3.1.1, client id stranger, clean session, "
                  "keep alive 60 s, user name who and a password.",
                  wire.packet(1)));
  EXPECT_EQ(told.wrong().size(), 1U) << "what follows from a refusal is no fault of its own";
  told.expect_none("wrong");  // a password is nobody's business
  told.expect_none("accepted");
}

TEST_F(Explained, AWillFollowsTheKilledClientsEnd) {
  Broker broker{without_nagle};
  record(broker);
  const auto watcher = subscribed(broker, {"-t", "will/#", "-C", "1", "-i", "watcher"});
  const auto dies =
      subscribed(broker, {"-t", "x", "-i", "mortal", "--will-topic", "will/mortal", "--will-payload", "bye"});
  dies->signal(SIGKILL);
  EXPECT_EQ(dies->wait(), 128 + SIGKILL);
  EXPECT_EQ(watcher->wait(), 0) << watcher->report();
  broker.stop();
  stop_recording();
  const Findings told = findings(broker.port());
  const Wire wire{file_, broker.port()};
  told.expect(
      fmt::format("Frame {}: CONNECT: mortal introduces itself: MQTT 3.1.1, client id mortal, clean session, keep "
                  "alive 60 s, a will for will/mortal.",
                  wire.packet(1, 1)));
  told.expect_wrong(
      fmt::format("Frame {}: mortal closed the connection (FIN) without DISCONNECT: an unclean end", wire.fin(1)));
  told.expect(fmt::format("Frame {}: the broker published the will of mortal on will/mortal.", wire.packet(3)));
  told.expect("watcher said DISCONNECT");
  EXPECT_EQ(told.wrong().size(), 1U);
}

TEST_F(Explained, ATopicWithoutSubscriberIsNamed) {
  Broker broker{without_nagle};
  record(broker);
  const auto subscriber = subscribed(broker, {"-t", "room/+", "-C", "1", "-i", "reader"});
  expect_success(run(pub(broker, {"-t", "rom/a", "-m", "lost", "-q", "1", "-i", "sensor"})));
  expect_success(run(pub(broker, {"-t", "room/a", "-m", "heard", "-i", "other"})));
  EXPECT_EQ(subscriber->wait(), 0) << subscriber->report();
  broker.stop();
  stop_recording();
  const Findings told = findings(broker.port());
  const Wire wire{file_, broker.port()};
  told.expect_wrong("rom/a: no subscriber in this capture asked for it");
  told.expect_wrong(fmt::format("see frame {}", on_topic(wire, "rom/a").at(0)));
  EXPECT_EQ(told.wrong().size(), 1U) << "room/a has one";
  const Frames passed_on = on_topic(wire, "room/a");
  ASSERT_EQ(passed_on.size(), 2U);
  told.expect(
      fmt::format("Frames {} and {}: the broker passed the message on to a subscriber", passed_on[0], passed_on[1]));
}

TEST_F(Explained, ATakenIdIsNamed) {
  Broker broker{without_nagle};
  record(broker);
  for (const std::string version : {"311", "5"}) {
    const auto first = subscribed(broker, {"-t", "x", "-i", "twin" + version, "-V", version, "--no-reconnect"});
    const auto second = subscribed(broker, {"-t", "x", "-i", "twin" + version, "-V", version});
    const int status = first->wait();
    // Mosquitto says so by DISCONNECT 0x8E where the version of MQTT and its own have one; else the connection just
    // ends.
    const bool is_told = first->err().find("session taken over (0x8E)") != std::string::npos;
    EXPECT_EQ(status, is_told ? 4 : 3) << first->report();
    end(*second);
  }
  broker.stop();
  stop_recording();
  const Findings told = findings(broker.port());
  const Wire wire{file_, broker.port()};
  for (const auto& [first, second, id] : {std::tuple{0, 1, "twin311"}, {2, 3, "twin5"}}) {
    told.expect_wrong(fmt::format(
        "Frames {} and {}: another client connected with the client id {}, so the broker ended the first one's",
        wire.packet(1, second), wire.fin_of_broker(first), id));
    told.expect(fmt::format("Frames {} and {}: {} said DISCONNECT, then TCP closed: a clean end",
                            wire.packet(14, second), wire.fin(second), id));
  }
}

TEST_F(Explained, AClientThatSaysNothingIsNamed) {
  Broker broker;
  record(broker);
  {
    const Dialed mute = Dialer{{.host = "127.0.0.1", .port = broker.port()}}.dial(never, {});
    broker.wait_for_log("New connection from");
  }
  broker.stop();
  stop_recording();
  const Findings told = findings(broker.port());
  told.expect_wrong("opened a TCP connection and stayed silent: no CONNECT");
}

TEST_F(Explained, ABrokerThatSaysNothingIsNamed) {
  std::uint16_t port = 0;
  {
    const RogueBroker mute{std::vector<RogueBroker::Reply>{}};
    port = mute.port();
    record({port});
    Process patient{tool(PUB, port, {"-t", "a", "-m", "x", "-i", "patient"})};
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (mute.packets().empty() && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    patient.signal(SIGKILL);
    (void)patient.wait();
  }
  stop_recording();
  const Findings told = findings(port);
  const Wire wire{file_, port};
  told.expect_wrong(fmt::format("Frame {}: CONNECT has no CONNACK: the broker is silent", wire.packet(1)));
}

TEST_F(Explained, ARefusedTcpConnectionIsNamed) {
  const std::uint16_t port = free_port();
  record({port});
  EXPECT_EQ(run(tool(PUB, port, {"-t", "a", "-m", "x"})).status, 3);
  stop_recording();
  const Findings told = findings(port);
  told.expect_wrong("Frames 1 and 2: ");
  told.expect_wrong("got a RST: no program listens on that port.");
  EXPECT_EQ(told.wrong().size(), 1U);
}

TEST_F(Explained, ARetransmissionIsToldWithWhatItRepeats) {
  if (!OwnNetwork::possible()) {
    GTEST_SKIP() << "losing packets needs a network of the test's own, and the right to make one";
  }
  const OwnNetwork network;
  Broker broker{without_nagle};
  record(broker);
  const auto subscriber = subscribed(broker, {"-t", "room", "-C", "20", "-i", "reader"});
  network.lose(broker.port(), 0);  // CONNECT
  network.lose(broker.port(), 7);
  expect_success(run(pub(broker, {"-t", "room", "-m", "again", "--repeat", "20", "--rate", "100", "-i", "sensor"})));
  EXPECT_EQ(subscriber->wait(), 0) << subscriber->report();
  broker.stop();
  stop_recording();

  const Findings told = findings(broker.port());
  const Wire wire{file_, broker.port()};
  const std::vector<Seen> again = wire.all([](const Seen& seen) { return seen.again && seen.size > 0; });
  ASSERT_EQ(again.size(), 2U);
  Frames originals;
  for (const Seen& repeated : again) {
    originals.push_back(wire.first([&](const Seen& seen) {
                              return seen.stream == repeated.stream && seen.to_broker && seen.size > 0 &&
                                     seen.begin == repeated.begin;
                            })
                            .number);
    EXPECT_LT(originals.back(), repeated.number);
    told.expect_wrong(fmt::format("Frame {}: TCP retransmission: the {} bytes of frame {} were sent again after ",
                                  repeated.number, repeated.size, originals.back()));
  }
  told.expect(fmt::format("Frame {}: CONNECT: sensor introduces itself", originals[0]));
  const std::vector<Seen> duplicates = wire.all([](const Seen& seen) { return seen.duplicate_ack; });
  if (!duplicates.empty()) {  // there are none where nothing more was sent in the meantime
    told.expect_wrong(fmt::format(" {}: duplicate ACKs ({})", duplicates.back().number, duplicates.size()));
  }
  told.expect_none("nothing twice");

  // The same, as recorded on the other side of where the packet was lost.
  const auto without = [&](const std::string& name, const Frames& missing) {
    (void)lines_of_output(
        {.command = {"tshark", "-r", file_, "-Y", fmt::format("!(frame.number in {{{}}})", fmt::join(missing, ", ")),
                     "-F", "pcap", "-w", folder_ / name},
         .environment = {},
         .directory = {}});
    return findings_of(folder_ / name, broker.port());
  };
  const Findings beyond = without("beyond.pcap", {originals[1]});
  beyond.expect("it sent 20 PUBLISH");
  beyond.expect("it got 20 PUBLISH");
  const std::vector<Seen> late =
      Wire{folder_ / "beyond.pcap", broker.port()}.all([](const Seen& seen) { return seen.again && seen.size > 0; });
  ASSERT_EQ(late.size(), 2U);
  beyond.expect_wrong(fmt::format("Frame {}: ", late[1].number) +
                      (late[1].out_of_order ? fmt::format("{} bytes came after others", late[1].size)
                                            : fmt::format("TCP retransmission of {} bytes that this", late[1].size)));
  beyond.expect_none("nothing twice");
  beyond.expect_none("the capture itself missed packets");

  // And by a recorder that missed something which was there.
  const Findings gap = without("gap.pcap", {originals[1], again[1].number});
  gap.expect("it sent 19 PUBLISH");
  gap.expect("it got 20 PUBLISH");
  gap.expect("the capture itself missed packets");
}

TEST_F(Explained, TlsIsReadWithTheKeyLogAndNamedWithout) {
  const Authority authority;
  const auto pair = authority.issue("broker", "DNS:localhost,IP:127.0.0.1");
  for (const std::string version : {"tlsv1.2", "tlsv1.3"}) {
    const std::uint16_t port = free_port();
    Broker broker{without_nagle + fmt::format("listener {} 127.0.0.1\ncafile {}\ncertfile {}\nkeyfile {}\n", port,
                                              authority.certificate().string(), pair.certificate.string(),
                                              pair.key.string())};
    const std::string keys = folder_ / ("keys-" + version);
    record({port});
    expect_success(run(tool(PUB, port,
                            {"--cafile", authority.certificate(), "--tls-version", version, "--tls-keylog", keys, "-t",
                             "some/topic", "-m", "hidden", "-q", "1", "-i", "sensor"})));
    broker.wait_for_log("Received DISCONNECT");
    broker.stop();
    stop_recording();
    const Findings closed = findings(port);
    closed.expect_wrong("is encrypted by TLS. To read it, let the tool write a key log");
    closed.expect_none("some/topic");
    closed.expect_none("CONNECT:");  // what is encrypted is not guessed at
    const Findings told = findings(port, {"--keylog", keys});
    const Wire wire{file_,
                    port,
                    {"-d", fmt::format("tcp.port=={},tls", port), "-d", fmt::format("tls.port=={},mqtt", port), "-o",
                     "tls.keylog_file:" + keys}};
    told.expect(fmt::format("Frame {}: CONNECT: sensor introduces itself", wire.packet(1)));
    told.expect(fmt::format("Frame {}: CONNACK code 0", wire.packet(2)));
    told.expect(fmt::format("Frame {}: PUBLISH: sensor sent 6 bytes of payload on the topic name some/topic, QoS 1.",
                            wire.packet(3)));
    told.expect(fmt::format("Frames {} and ", wire.packet(14)));
  }
}

TEST_F(Explained, ReasonCodesOfMqtt5AreTold) {
  const TemporaryFolder folder;
  const auto rules = folder.write("acl", "topic readwrite open/#\n");
  Broker broker{without_nagle + "acl_file " + rules.string() + "\n"};
  record(broker);
  const auto subscriber = subscribed(broker, {"-V", "5", "-t", "open/a", "-q", "1", "-C", "1", "-i", "reader"});
  EXPECT_EQ(run(pub(broker, {"-V", "5", "-t", "secret/a", "-m", "x", "-q", "1", "-i", "thief"})).status, 5);
  expect_success(run(pub(broker, {"-V", "5", "-t", "open/b", "-m", "x", "-q", "1"})));
  expect_success(run(pub(broker, {"-V", "5", "-t", "open/a", "-m", "x", "-q", "1", "-D", "publish", "content-type",
                                  "text/plain", "-D", "publish", "user-property", "who", "me"})));
  EXPECT_EQ(subscriber->wait(), 0) << subscriber->report();
  broker.stop();
  stop_recording();
  const Findings told = findings(broker.port());
  const Wire wire{file_, broker.port()};
  told.expect(fmt::format("Frame {}: CONNECT: reader introduces itself: MQTT 5, client id reader", wire.packet(1, 0)));
  const auto refused = on_topic(wire, "secret/a").at(0);
  told.expect_wrong(
      fmt::format("Frames {} and {}: PUBACK code 135 (Not authorized): the broker refused the message on "
                  "secret/a, packet id 1.",
                  refused, wire.packet(4, 1)));
  told.expect_none(fmt::format("Frame {}: PUBLISH with QoS 1", refused));  // nobody has taken it over
  told.expect_wrong(fmt::format("Frames {} and {}: PUBACK says that nobody subscribes to open/b (packet id 1).",
                                on_topic(wire, "open/b").at(0), wire.packet(4, 2)));
}

TEST_F(Explained, ARefusedSubscriptionIsNamed) {
  std::uint16_t port = 0;
  {
    const RogueBroker strict{{{RogueBroker::connect_packet, "\x20\x02\x00\x00"s},
                              {RogueBroker::subscribe_packet, "\x90\x04\x00\x01\x01\x80"s}}};
    port = strict.port();
    record({port});
    EXPECT_EQ(run(tool(SUB, port, {"-t", "open", "-t", "secret", "-q", "2", "-C", "1", "-i", "reader"})).status, 5);
  }
  stop_recording();
  const Findings told = findings(port);
  const Wire wire{file_, port};
  const auto request = wire.packet(8);
  const auto answer = wire.packet(9);
  told.expect(fmt::format(
      "Frames {} and {}: SUBSCRIBE and SUBACK: reader asked for open with QoS 2 and was granted only QoS 1.", request,
      answer));
  told.expect_wrong(fmt::format("Frames {} and {}: SUBACK code 128: the broker refused reader the topic filter secret.",
                                request, answer));
}

TEST_F(Explained, TheBrokersOwnDisconnectIsToldWithItsReason) {
  std::uint16_t port = 0;
  {
    const RogueBroker rogue{{{RogueBroker::connect_packet, "\x20\x03\x00\x00\x00"s},
                             {RogueBroker::subscribe_packet, "\x90\x04\x00\x01\x00\x00\xE0\x02\x8B\x00"s, true}}};
    port = rogue.port();
    record({port});
    EXPECT_EQ(run(tool(SUB, port, {"-V", "5", "-t", "a", "-i", "reader", "--no-reconnect"})).status, 3);
  }
  stop_recording();
  findings(port).expect_wrong(
      fmt::format("Frame {}: the broker sent DISCONNECT code 139 (Server shutting down) and ended the "
                  "connection of reader.",
                  Wire{file_, port}.packet(14)));
}

TEST_F(Explained, WhatTheBrokerKeepsIsTold) {
  Broker broker{without_nagle};
  record(broker);
  expect_success(run(pub(broker, {"-t", "room/a", "-m", "old", "-r", "-q", "1", "-i", "sensor"})));
  const Arguments keeper{"-t", "room/#", "-q", "1", "-i", "keeper", "-c"};
  expect_success(run(sub(broker, keeper + Arguments{"-C", "1"})));
  expect_success(run(pub(broker, {"-t", "room/b", "-m", "new", "-q", "1", "-i", "other"})));
  expect_success(run(sub(broker, keeper + Arguments{"-C", "2"})));  // what waited, and what is kept
  broker.stop();
  stop_recording();
  const Findings told = findings(broker.port());
  EXPECT_EQ(told.wrong(), Strings{}) << "what waits at the broker is not lost";
  const Wire wire{file_, broker.port()};
  told.expect(
      fmt::format("Frame {}: PUBLISH: sensor sent 3 bytes of payload on the topic name room/a, QoS 1, retained.",
                  on_topic(wire, "room/a").at(0)));
  told.expect(fmt::format("Frame {}: PUBLISH with RETAIN to keeper: the broker had kept the last message on room/a",
                          on_topic(wire, "room/a").at(1)));
  told.expect(fmt::format("Frame {}: CONNACK says session present", wire.packet(2, 3)));
}

TEST_F(Explained, ARecordingOfAPartAccusesNobody) {
  Broker broker{without_nagle};
  const auto subscriber = subscribed(broker, {"-t", "room", "-i", "reader"});
  record(broker);
  expect_success(run(pub(broker, {"-t", "room", "-m", "x", "-q", "1", "-i", "sensor"})));
  subscriber->wait_for_stdout("x\n");
  stop_recording();
  const Findings told = findings(broker.port());
  EXPECT_EQ(told.wrong(), Strings{});
  const Wire wire{file_, broker.port()};
  const Frames publishes = on_topic(wire, "room");
  const Seen delivery = wire.first([&](const Seen& seen) { return seen.number == publishes.at(1); });
  told.expect(fmt::format("was there before the capture began: no handshake; its first frame is {}.",
                          wire.first([&](const Seen& seen) { return seen.stream == delivery.stream; }).number));
  told.expect(fmt::format("Frames {} and {}: the broker passed the message on", publishes[0], publishes[1]));

  // Cut off in the midst of its last frame.
  const std::string cut = folder_ / "cut.pcap";
  std::filesystem::copy_file(file_, cut);
  std::filesystem::resize_file(cut, std::filesystem::file_size(cut) - 10);
  findings_of(cut, broker.port()).expect("The file ends in the midst of a frame: the recording was cut off.");
}

/// Whether ::1 is an address of this machine; that of a container while its image is built may have none.
bool has_ipv6_loopback() {
  const Descriptor socket{::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): as bind(2) wants it
  return socket.get() >= 0 && ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

TEST_F(Explained, AddressesMayBeOfIPv6) {
  if (!has_ipv6_loopback()) {
    GTEST_SKIP() << "::1 is no address of this machine";
  }
  const std::uint16_t port = free_port();
  Broker broker{without_nagle + fmt::format("listener {} ::1\n", port)};
  record({port});
  Start start = tool(PUB, port, {"-t", "a", "-m", "x", "-q", "1", "-i", "sensor"});
  start.environment["MQTT_HOST"] = "::1";
  expect_success(run(start));
  broker.wait_for_log("Received DISCONNECT");
  broker.stop();
  stop_recording();
  const Findings told = findings(port);
  const Wire wire{file_, port};
  told.expect(fmt::format("::1 is the broker: connections go to [::1], port {} (1 here).", port));
  told.expect(fmt::format("handshake of sensor with [::1]:{}", port));
  told.expect(fmt::format("Frame {}: CONNACK code 0", wire.packet(2)));
}

TEST_F(Explained, TwoHostsAreCalledByTheirNamesAndAskForTheirAddresses) {
  if (!OwnNetwork::possible()) {
    GTEST_SKIP() << "a second host needs networks of the test's own, and the right to make them";
  }
  const OwnNetwork network;
  Process host{
      {.command = {"unshare", "--net", "sh", "-c", "echo up; exec sleep 300"}, .environment = {}, .directory = {}}};
  host.wait_for_stdout("up");
  network.join(host.pid());
  const std::uint16_t port = free_port();
  Broker broker{without_nagle + fmt::format("listener {} 192.0.2.1\n", port)};
  record({port}, {.interface = "cable0", .address = "192.0.2.2"});
  Start publisher = tool(PUB, port, {"-h", "192.0.2.1", "-t", "a", "-m", "x", "-q", "1", "-i", "sensor"});
  publisher.command.insert(publisher.command.begin(), {"nsenter", "--net", "--target", std::to_string(host.pid())});
  expect_success(run(publisher));
  broker.wait_for_log("Received DISCONNECT");
  broker.stop();
  stop_recording();

  std::ofstream(folder_ / "hosts") << "# of the lab\n192.0.2.1 mqtt-broker\n192.0.2.2\tmqtt-pub  pub\n";
  const Findings told = findings(port, {"--hosts", folder_ / "hosts"});
  const Capture wire{file_, port};
  const Frames request = wire.numbers("arp.opcode == 1 && arp.src.proto_ipv4 == 192.0.2.2", "frame.number");
  const Frames reply = wire.numbers("arp.opcode == 2 && arp.dst.proto_ipv4 == 192.0.2.2", "frame.number");
  ASSERT_FALSE(request.empty() || reply.empty());
  told.expect(fmt::format(
      "Frames {} and {}: ARP: mqtt-pub asked which Ethernet address mqtt-broker has; the answer is {}.", request[0],
      reply[0], wire.values(fmt::format("frame.number == {}", reply[0]), "arp.src.hw_mac").at(0)));
  told.expect(fmt::format("mqtt-broker is the broker: connections go to 192.0.2.1, port {} (1 here).", port));
  told.expect("mqtt-pub (192.0.2.2, port ");
  told.expect(fmt::format("Frame {}: CONNECT: mqtt-pub introduces itself: MQTT 3.1.1, client id sensor",
                          Wire{file_, port}.packet(1)));
}

TEST_F(Explained, WhatTheToolsSaidIsJoinedWithItsFrames) {
  Broker broker{without_nagle};
  record(broker);
  const auto subscriber = subscribed(broker, {"-t", "a/b", "-C", "2", "-i", "reader", "-F", "%{time} %t %p"});
  const Result publisher = run(pub(broker, {"-d", "-t", "a/b", "-l", "-q", "1", "-i", "sensor"}), "one\ntwo\n");
  expect_success(publisher);
  EXPECT_EQ(subscriber->wait(), 0) << subscriber->report();
  broker.stop();
  stop_recording();
  std::ofstream(folder_ / "pub.log") << publisher.err;
  std::ofstream(folder_ / "sub.log") << subscriber->out();
  const Findings told = findings(broker.port(), {"--log", folder_ / "pub.log", "--log", folder_ / "sub.log"});
  // CONNECT, CONNACK, two PUBLISH and PUBACK, DISCONNECT
  told.expect("pub.log: 7 of 7 lines with a packet or a time are joined with their frames");
  told.expect("sub.log: 2 of 2 lines with a packet or a time are joined with their frames");
  const Wire wire{file_, broker.port()};
  expect_in(row(wire.packet(1, 1)), "-\\> CONNECT  MQTT 3.1.1, client id sensor");
  expect_in(row(wire.packet(4, 1)), "\\<- PUBACK  packet id 1");
  const std::vector<Seen> arrived = wire.all([](const Seen& seen) { return seen.stream == 0 && seen.has(3); });
  ASSERT_EQ(arrived.size(), 2U);
  expect_in(row(arrived[0].number), "a/b one");
  expect_in(row(arrived[1].number), "a/b two");
}

TEST_F(Explained, WhatCannotBeExplainedIsSaid) {
  const std::string nothing = folder_ / "nothing.pcap";
  std::ofstream(nothing) << "no capture at all";
  struct Row {
    Strings arguments;
    int status;
    std::string said;
  };
  const Row rows[] = {
      {{folder_ / "missing.pcap"}, 1, "there is no file "},
      {{nothing}, 1, "nothing.pcap"},
      {{}, 2, "say which capture to explain"},
      {{nothing, "--lang", "de"}, 2, "--lang: expected en or id, got \"de\""},
      {{nothing, "--port", "0"}, 2, "expected a port from 1 to 65535, got \"0\""},
      {{nothing, "--no-such"}, 2, "no such option: --no-such"},
  };
  for (const Row& each : rows) {
    Start start{.command = {SOURCE_DIR "/compose/analyze", "--native", "--output", folder_},
                .environment = {},
                .directory = {}};
    start.command.insert(start.command.end(), each.arguments.begin(), each.arguments.end());
    const Result result = run(start);
    EXPECT_EQ(result.status, each.status) << result.report;
    expect_in(result.err, each.said);
    expect_not_in(result.err, "Traceback");
    EXPECT_EQ(result.out, "");
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "report.html"));

  // A port that is not MQTT's is not guessed at, but named.
  Broker broker;
  record(broker);
  expect_success(run(pub(broker, {"-t", "a", "-m", "x"})));
  broker.stop();
  stop_recording();
  const Result elsewhere = explain(file_, {});
  EXPECT_EQ(elsewhere.status, 1) << elsewhere.report;
  expect_in(elsewhere.err, fmt::format("connections went to port {}: say which with --port", broker.port()));
}

// A sentence is said in both languages or in none, with the same values in it; and no key is a typing error.
TEST(Sentences, AreTheSameInBothLanguages) {
  const Strings faults = lines_of_output(
      {.command = {"/usr/bin/python3", "-B", SOURCE_DIR "/tests/support/sentences.py", SOURCE_DIR "/compose/explain"},
       .environment = {},
       .directory = {}});
  EXPECT_EQ(faults, Strings{});
}

TEST_F(Explained, StepsOf40MillisecondsAreNamed) {
  Broker broker{without_nagle};
  record(broker);
  {
    const Dialed dialed = Dialer{{.host = "127.0.0.1", .port = broker.port()}}.dial(never, {});
    const int client = dialed.channel.fd();
    const int off = 0;  // Nagle's algorithm: a small segment waits until the one before is acknowledged
    ASSERT_EQ(::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &off, sizeof off), 0);
    ::fcntl(client, F_SETFL, ::fcntl(client, F_GETFL) & ~O_NONBLOCK);
    const auto send = [&](const std::string& bytes) {
      EXPECT_EQ(::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
    };
    const auto receive = [&](std::size_t size) {
      std::string bytes(size, '\0');
      pollfd ready{client, POLLIN, 0};
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
  const Wire wire{file_, broker.port()};
  // The system may let the first halves pass.
  std::vector<Seen> held;
  for (const Seen& ack : wire.all([](const Seen& seen) { return seen.ack_time > 0.036 && seen.ack_time < 0.059; })) {
    const Seen half = wire.first([&](const Seen& seen) { return seen.number == ack.acks; });
    if (half.to_broker && half.size == 4) {
      held.push_back(ack);
    }
  }
  ASSERT_GE(held.size(), 4U) << "the system does not hold its ACKs back";
  told.expect_wrong(fmt::format("{} steps of about 40 ms", held.size()));
  told.expect_wrong(fmt::format("rames {}, {} and {}", held[0].acks, held[0].number, held[0].number + 1));
}

}  // namespace
}  // namespace sistem::test
