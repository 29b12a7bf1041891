// Captures of what the tools do well and badly, and what compose/explain tells of them. The frames that a finding must
// name are asked of tshark, so that none is right by luck.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <thread>

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
std::uint64_t frame(const Capture& wire, const std::string& filter) {
  const Frames all = frames(wire, filter);
  EXPECT_EQ(all.size(), 1U) << filter;
  return all.empty() ? 0 : all.front();
}

/// Has TCP wait for nobody in the broker, which otherwise holds back what comes soon after a SUBACK.
const std::string without_nagle = "allow_anonymous true\nset_tcp_nodelay true\n";

TEST_F(Explained, AGoodConversationIsToldFromTheHandshakeToTheGoodbye) {
  Broker broker{without_nagle};
  record(broker);
  const auto subscriber = subscribed(broker, {"-t", "room/#", "-q", "2", "-i", "reader", "-C", "3"});
  const Result publisher =
      run(pub(broker, {"--jsonl", "-i", "sensor"}), R"({"topic":"room/a","payload":"zero","qos":0})"
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
  const Capture wire{file_, broker.port()};
  const auto of = [&](int stream, const std::string& filter) {
    return frame(wire, fmt::format("tcp.stream == {} && {}", stream, filter));
  };
  const char* names[] = {"reader", "sensor"};
  for (int stream = 0; stream < 2; ++stream) {
    const auto syn = of(stream, "tcp.flags.syn == 1 && tcp.flags.ack == 0");
    const auto syn_ack = of(stream, "tcp.flags.syn == 1 && tcp.flags.ack == 1");
    const auto ack = of(
        stream, fmt::format("tcp.flags == 0x010 && tcp.seq == 1 && tcp.ack == 1 && tcp.dstport == {}", broker.port()));
    told.expect(fmt::format("Frames {}, {} and {}: TCP's handshake of {} with 127.0.0.1:{}: SYN, SYN-ACK, ACK.", syn,
                            syn_ack, ack, names[stream], broker.port()));
    told.expect(
        fmt::format("Frame {}: CONNECT: {} introduces itself: MQTT 3.1.1, client id {}, clean session, keep "
                    "alive 60 s.",
                    of(stream, "mqtt.msgtype == 1"), names[stream], names[stream]));
    told.expect(
        fmt::format("Frame {}: CONNACK code 0: the broker accepted the client.", of(stream, "mqtt.msgtype == 2")));
    const auto first_fin = frames(wire, fmt::format("tcp.stream == {} && tcp.flags.fin == 1", stream)).at(0);
    told.expect(fmt::format("Frames {} and {}: {} said DISCONNECT, then TCP closed: a clean end",
                            of(stream, "mqtt.msgtype == 14"), first_fin, names[stream]));
  }
  told.expect("127.0.0.1 is the broker: connections go to 127.0.0.1, port " + std::to_string(broker.port()));
  told.expect("a subscriber: it got 3 PUBLISH; see frame " + std::to_string(of(0, "mqtt.msgtype == 8")));
  told.expect("a publisher: it sent 3 PUBLISH, the first in frame " +
              std::to_string(of(1, "mqtt.msgtype == 3 && mqtt.qos == 0")));
  told.expect(fmt::format("Frames {} and {}: SUBSCRIBE and SUBACK: reader asked for room/# and was granted QoS 2.",
                          of(0, "mqtt.msgtype == 8"), of(0, "mqtt.msgtype == 9")));
  for (const auto& [qos, words] : {std::pair{0, "4 bytes of payload on the topic name room/a, QoS 0."},
                                   {1, "5 bytes of payload on the topic name room/b, QoS 1, retained."},
                                   {2, "3 bytes of payload on the topic name room/c, QoS 2."}}) {
    told.expect(fmt::format("Frame {}: PUBLISH: sensor sent {}",
                            of(1, fmt::format("mqtt.msgtype == 3 && mqtt.qos == {}", qos)), words));
  }
  // Both layers' answers, for both directions.
  for (int stream = 0; stream < 2; ++stream) {
    const std::string receiver = stream == 0 ? "the subscriber" : "the broker";
    const auto publish = [&](int qos) { return of(stream, fmt::format("mqtt.msgtype == 3 && mqtt.qos == {}", qos)); };
    // What tshark says is the ACK to a frame.
    const auto ack = [&](std::uint64_t of_frame) {
      return frames(wire, fmt::format("tcp.analysis.acks_frame == {}", of_frame));
    };
    const auto acked_in = [&](std::uint64_t of_frame) {
      const Frames all = ack(of_frame);
      return all.empty() ? std::string{} : std::to_string(all.front());  // where one ACK is for several, the last
    };
    told.expect(fmt::format("Frame {}: PUBLISH with QoS 0 has one acknowledgement, TCP's ACK in frame {}", publish(0),
                            acked_in(publish(0))));
    told.expect(fmt::format("Frame {}: PUBLISH with QoS 1, packet id {}, has two acknowledgements", publish(1), 1));
    told.expect(fmt::format("MQTT's PUBACK in frame {}", of(stream, "mqtt.msgtype == 4")));
    told.expect(fmt::format("PUBREC in {}, PUBREL in {}, PUBCOMP in {}", of(stream, "mqtt.msgtype == 5"),
                            of(stream, "mqtt.msgtype == 6"), of(stream, "mqtt.msgtype == 7")));
    told.expect("Then " + receiver + " has it, once.");
  }
  told.expect("the broker passed 3 messages on");
  told.expect("TCP sent nothing twice: no packet was lost on the way.");
}

TEST_F(Explained, ARefusalIsNamedWithItsCode) {
  Broker broker{"allow_anonymous false\n"};
  record(broker);
  EXPECT_EQ(run(pub(broker, {"-t", "a", "-m", "x", "-i", "stranger", "-u", "who", "-P", "wrong"})).status, 4);
  broker.stop();
  stop_recording();
  const Findings told = findings(broker.port());
  const Capture wire{file_, broker.port()};
  told.expect_wrong(fmt::format("Frame {}: CONNACK code 5 ", frame(wire, "mqtt.msgtype == 2")));
  told.expect(
      fmt::format("Frame {}: CONNECT: stranger introduces itself: MQTT 3.1.1, client id stranger, clean session, "
                  "keep alive 60 s, user name who and a password.",
                  frame(wire, "mqtt.msgtype == 1")));
  EXPECT_EQ(told.wrong().size(), 1U) << "what follows from a refusal is no fault of its own";
  for (const std::string& line : told.lines()) {
    EXPECT_EQ(line.find("wrong"), std::string::npos) << "a password is nobody's business: " << line;
    EXPECT_EQ(line.find("accepted"), std::string::npos) << line;
  }
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
  const Capture wire{file_, broker.port()};
  told.expect(
      fmt::format("Frame {}: CONNECT: mortal introduces itself: MQTT 3.1.1, client id mortal, clean session, keep "
                  "alive 60 s, a will for will/mortal.",
                  frame(wire, "mqtt.msgtype == 1 && tcp.stream == 1")));
  told.expect_wrong(fmt::format("Frame {}: mortal closed the connection (FIN) without DISCONNECT: an unclean end",
                                frames(wire, "tcp.stream == 1 && tcp.flags.fin == 1").at(0)));
  told.expect(fmt::format("Frame {}: the broker published the will of mortal on will/mortal.",
                          frame(wire, "mqtt.msgtype == 3")));
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
  const Capture wire{file_, broker.port()};
  told.expect_wrong("rom/a: no subscriber in this capture asked for it");
  told.expect_wrong(fmt::format("(frame {})", frame(wire, "mqtt.topic == \"rom/a\"")));
  EXPECT_EQ(told.wrong().size(), 1U) << "room/a has one";
  const Frames passed_on = frames(wire, "mqtt.topic == \"room/a\"");
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
    EXPECT_EQ(first->wait(), 3) << first->report();
    end(*second);
  }
  broker.stop();
  stop_recording();
  const Findings told = findings(broker.port());
  const Capture wire{file_, broker.port()};
  for (const auto& [first, second, id] : {std::tuple{0, 1, "twin311"}, {2, 3, "twin5"}}) {
    told.expect_wrong(fmt::format(
        "Frames {} and {}: another client connected with the client id {}, so the broker ended the first one's",
        frame(wire, fmt::format("mqtt.msgtype == 1 && tcp.stream == {}", second)),
        frame(wire, fmt::format("tcp.flags.fin == 1 && tcp.stream == {}", first)), id));
    told.expect(fmt::format("Frames {} and {}: {} said DISCONNECT, then TCP closed: a clean end",
                            frame(wire, fmt::format("mqtt.msgtype == 14 && tcp.stream == {}", second)),
                            frames(wire, fmt::format("tcp.flags.fin == 1 && tcp.stream == {}", second)).at(0), id));
    // The first one's DISCONNECT came after the broker's FIN.
    for (const std::string& line : told.lines()) {
      EXPECT_EQ(line.find(fmt::format("Frames {} and",
                                      frame(wire, fmt::format("mqtt.msgtype == 14 && tcp.stream == {}", first)))),
                std::string::npos)
          << line;
    }
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
  const Capture wire{file_, port};
  told.expect_wrong(fmt::format("Frame {}: CONNECT has no CONNACK: the broker is silent", frame(wire, "mqtt")));
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
  const Capture wire{file_, broker.port()};
  const std::string repeated = "tcp.analysis.retransmission && tcp.len > 0";
  const Frames again = frames(wire, repeated);
  const Frames begins = wire.numbers(repeated, "tcp.seq");
  ASSERT_EQ(again.size(), 2U);
  Frames originals;
  for (std::size_t at = 0; at < again.size(); ++at) {
    originals.push_back(frame(wire, fmt::format("tcp.stream == 1 && tcp.dstport == {} && tcp.seq == {} && "
                                                "frame.number < {} && tcp.len > 0",
                                                broker.port(), begins[at], again[at])));
    told.expect_wrong(fmt::format("Frame {}: TCP retransmission: the ", again[at]));
    told.expect_wrong(fmt::format(" bytes of frame {} were sent again after ", originals[at]));
  }
  told.expect(fmt::format("Frame {}: CONNECT: sensor introduces itself", originals[0]));
  const Frames duplicates = frames(wire, "tcp.analysis.duplicate_ack");
  ASSERT_FALSE(duplicates.empty());
  told.expect_wrong(fmt::format("{}", duplicates[0]));
  for (const std::string& line : told.lines()) {
    EXPECT_EQ(line.find("nothing twice"), std::string::npos) << line;
  }

  // The same, as recorded on the other side of where the packet was lost.
  const std::string there = folder_ / "there.pcap";
  (void)lines_of_output({.command = {"tshark", "-r", file_, "-Y", fmt::format("!(frame.number == {})", originals[1]),
                                     "-F", "pcap", "-w", there},
                         .environment = {},
                         .directory = {}});
  const Findings beyond = findings_of(there, broker.port());
  EXPECT_EQ(frames(Capture{there, broker.port()}, "mqtt.msgtype == 3").size(), 40U);
  beyond.expect("sensor");
  beyond.expect_wrong(fmt::format("{}", again[1] - 1));
  for (const std::string& line : beyond.lines()) {
    EXPECT_EQ(line.find("nothing twice"), std::string::npos) << line;
  }
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
    for (const std::string& line : closed.lines()) {
      EXPECT_EQ(line.find("some/topic"), std::string::npos) << line;
      EXPECT_EQ(line.find("CONNECT:"), std::string::npos) << "what is encrypted is not guessed at: " << line;
    }
    const Findings told = findings(port, {"--keylog", keys});
    const Capture wire{file_,
                       port,
                       {"-d", fmt::format("tcp.port=={},tls", port), "-d", fmt::format("tls.port=={},mqtt", port), "-o",
                        "tls.keylog_file:" + keys}};
    told.expect(fmt::format("Frame {}: CONNECT: sensor introduces itself", frame(wire, "mqtt.msgtype == 1")));
    told.expect(fmt::format("Frame {}: CONNACK code 0", frame(wire, "mqtt.msgtype == 2")));
    told.expect(fmt::format("Frame {}: PUBLISH: sensor sent 6 bytes of payload on the topic name some/topic, QoS 1.",
                            frame(wire, "mqtt.msgtype == 3")));
    told.expect(fmt::format("Frames {} and ", frame(wire, "mqtt.msgtype == 14")));
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
  const Capture wire{file_, broker.port()};
  told.expect(fmt::format("Frame {}: CONNECT: reader introduces itself: MQTT 5, client id reader",
                          frame(wire, "mqtt.msgtype == 1 && tcp.stream == 0")));
  const auto refused = frame(wire, "mqtt.topic == \"secret/a\"");
  told.expect_wrong(
      fmt::format("Frames {} and {}: PUBACK code 135 (Not authorized): the broker refused the message on "
                  "secret/a, packet id 1.",
                  refused, frame(wire, "mqtt.msgtype == 4 && tcp.stream == 1")));
  for (const std::string& line : told.lines()) {
    EXPECT_FALSE(line.find(fmt::format("Frame {}:", refused)) != std::string::npos &&
                 line.find("has taken it over") != std::string::npos)
        << "a refusal takes nothing over: " << line;
  }
  told.expect_wrong(fmt::format("Frames {} and {}: PUBACK says that nobody subscribes to open/b (packet id 1).",
                                frame(wire, "mqtt.topic == \"open/b\""),
                                frame(wire, "mqtt.msgtype == 4 && tcp.stream == 2")));
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
  const Capture wire{file_, port};
  const auto request = frame(wire, "mqtt.msgtype == 8");
  const auto answer = frame(wire, "mqtt.msgtype == 9");
  told.expect(fmt::format(
      "Frames {} and {}: SUBSCRIBE and SUBACK: reader asked for open with QoS 2 and was granted only QoS 1.", request,
      answer));
  told.expect_wrong(fmt::format("Frames {} and {}: SUBACK code 128: the broker refused reader the topic filter secret.",
                                request, answer));
}

TEST_F(Explained, AddressesMayBeOfIPv6) {
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
  const Capture wire{file_, port};
  told.expect(fmt::format("::1 is the broker: connections go to [::1], port {} (1 here).", port));
  told.expect(fmt::format("handshake of sensor with [::1]:{}", port));
  told.expect(fmt::format("Frame {}: CONNACK code 0", frame(wire, "mqtt.msgtype == 2")));
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
  const Capture wire{file_, broker.port()};
  const Frames halves = frames(wire, fmt::format("tcp.dstport == {} && tcp.len == 4", broker.port()));
  ASSERT_EQ(halves.size(), 8U);
  // The system may let the first of them pass: which one is the first step is asked of tshark.
  Frames step;
  int steps = 0;
  for (const std::uint64_t half : halves) {
    const Frames ack = frames(wire, fmt::format("tcp.analysis.acks_frame == {}", half));
    ASSERT_EQ(ack.size(), 1U);
    const std::string waited = wire.values(fmt::format("frame.number == {}", ack[0]), "tcp.analysis.ack_rtt").at(0);
    if (std::stod(waited) > 0.036 && std::stod(waited) < 0.059) {
      ++steps;
      if (step.empty()) {
        step = {half, ack[0], ack[0] + 1};
      }
    }
  }
  ASSERT_GE(steps, 4) << "the system does not hold its ACKs back";
  told.expect_wrong(
      fmt::format("{} steps of about 40 ms. In frames {}, {} and {}: ", steps, step[0], step[1], step[2]));
}

}  // namespace
}  // namespace sistem::test
