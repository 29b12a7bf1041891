// The tools with brokers that answer anything. The rogue broker sees to it that what the tools send is MQTT.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

#include "tests/integration/tools.hpp"
#include "tests/support/rogue_broker.hpp"

namespace sistem::test {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using Reply = RogueBroker::Reply;

const Reply accepted{RogueBroker::connect_packet, "\x20\x02\x00\x00"s};
const Reply accepted_v5{RogueBroker::connect_packet, "\x20\x03\x00\x00\x00"s};

using test::operator+;  // which this one would hide
std::vector<Reply> operator+(std::vector<Reply> replies, const std::vector<Reply>& others) {
  replies.insert(replies.end(), others.begin(), others.end());
  return replies;
}

int count_of(PacketType type, const std::vector<Packet>& packets) {
  return static_cast<int>(
      std::count_if(packets.begin(), packets.end(), [&](const Packet& one) { return one.type == type; }));
}

TEST(Rogue, EachReasonToRefuseConnectIsNamedAndItsOwnStatus) {
  const std::tuple<char, std::string, int> table[] = {
      {'\x80', "unspecified error (0x80)", 4},
      {'\x84', "it does not speak MQTT 5 (CONNACK code 0x84)", 4},
      {'\x85', "client identifier not valid (0x85)", 4},
      {'\x86', "bad user name or password (0x86)", 4},
      {'\x87', "not authorized (0x87)", 4},
      {'\x88', "server unavailable (0x88)", 3},
      {'\x89', "server busy (0x89)", 3},
      {'\x8A', "banned (0x8A)", 4},
      {'\x97', "quota exceeded (0x97)", 3},
      {'\x9C', "use another server (0x9C)", 4},
      {'\x9F', "connection rate exceeded (0x9F)", 3},
  };
  for (const auto& [code, words, status] : table) {
    const RogueBroker rogue{{{RogueBroker::connect_packet, "\x20\x08\x00"s + code + "\x05\x1F\x00\x02no"s, true}}};
    const Result result = run(tool(PUB, rogue.port(), {"-V", "5", "-t", "a", "-m", "x"}));
    EXPECT_EQ(result.status, status) << result.report;
    EXPECT_EQ(result.err, "pub: the broker at 127.0.0.1:" + std::to_string(rogue.port()) +
                              " refused the connection: " + words + ", \"no\"\n");
  }
}

TEST(Rogue, WhyAMessageOrAFilterWasRefusedIsSaidInTheBrokersOwnWordsToo) {
  for (const char* qos : {"1", "2"}) {
    const std::string type = qos == "1"s ? "\x40"s : "\x50"s;
    const RogueBroker rogue{{accepted_v5,
                             {RogueBroker::publish_packet, type + "\x0A\x00\x01\x97\x06\x1F\x00\x03"
                                                                  "box"s}}};
    const Result result = run(tool(PUB, rogue.port(), {"-V", "5", "-t", "a", "-m", "x", "-q", qos}));
    EXPECT_EQ(result.status, 5) << result.report;
    EXPECT_EQ(result.err, "pub: the broker refused the message to a: quota exceeded (0x97), \"box\"\n");
  }
  const RogueBroker rogue{{accepted_v5,
                           {RogueBroker::subscribe_packet,
                            "\x90\x0A\x00\x01\x06\x1F\x00\x03"
                            "box\x87"s}}};
  const Result result = run(tool(SUB, rogue.port(), {"-V", "5", "-t", "a"}));
  EXPECT_EQ(result.status, 5) << result.report;
  EXPECT_EQ(result.err, "sub: the broker refused the subscription to a: not authorized (0x87), \"box\"\n");
}

TEST(Rogue, AnAnswerToSubscribeThatIsNoneIsTold) {
  const std::pair<std::string, std::string> table[] = {
      {"\x90\x04\x00\x01\x00\x00"s, "answered SUBSCRIBE with 2 codes for 1 filters"},
      {"\x90\x02\x00\x01"s, "answered SUBSCRIBE with 0 codes for 1 filters"},
  };
  for (const auto& [suback, words] : table) {
    const RogueBroker rogue{{accepted, {RogueBroker::subscribe_packet, suback}}};
    const Result result = run(tool(SUB, rogue.port(), {"-t", "a", "-W", "5"}));
    EXPECT_NE(result.status, 0) << result.report;
    EXPECT_NE(result.err.find(words), std::string::npos) << result.report;
  }
  const RogueBroker another{{accepted, {RogueBroker::subscribe_packet, "\x90\x03\x00\x63\x00"s}}};  // packet id 99
  EXPECT_EQ(run(tool(SUB, another.port(), {"-t", "a", "-W", "0.5"})).status, 27);
}

TEST(Rogue, HalfAPacketIsNoAnswer) {
  for (const bool then_close : {false, true}) {
    const RogueBroker rogue{{{RogueBroker::connect_packet, "\x20\x02\x00"s, then_close}}};
    const Result result = run(tool(SUB, rogue.port(), {"-t", "a", "-W", "0.5"}));
    EXPECT_EQ(result.status, then_close ? 3 : 27) << result.report;
  }
}

TEST(Rogue, ATakeoverIsCalledWhatItIs) {
  const RogueBroker rogue{
      {accepted_v5, {RogueBroker::subscribe_packet, "\x90\x04\x00\x01\x00\x00\xE0\x02\x8E\x00"s, true}}};
  const Result result = run(tool(SUB, rogue.port(), {"-V", "5", "-t", "a", "-i", "me"}));
  EXPECT_EQ(result.status, 4) << result.report;
  EXPECT_NE(
      result.err.find("has disconnected us: session taken over (0x8E), another client has connected with the id me\n"),
      std::string::npos)
      << result.report;
  EXPECT_EQ(rogue.connections(), 1);
}

TEST(Rogue, ALostConnectionIsRegainedForSoLongAsWasSaid) {
  const RogueBroker rogue{{accepted, {RogueBroker::subscribe_packet, "\x90\x03\x00\x01\x00"s, true}},
                          {{RogueBroker::connect_packet, "", true}}};
  const Result result =
      run(tool(SUB, rogue.port(), {"-t", "a", "--reconnect-for", "1", "--reconnect-max-delay", "0.05"}));
  EXPECT_EQ(result.status, 3) << result.report;
  EXPECT_NE(result.err.find("was lost and not regained in 1 s"), std::string::npos) << result.report;
  EXPECT_GT(rogue.connections(), 4) << "the longest wait was short";
}

TEST(Rogue, ARefusalThatWillNotChangeEndsTheReconnecting) {
  const RogueBroker rogue{{accepted, {RogueBroker::subscribe_packet, "\x90\x03\x00\x01\x00"s, true}},
                          {{RogueBroker::connect_packet, "\x20\x02\x00\x05"s, true}}};
  const Result result = run(tool(SUB, rogue.port(), {"-t", "a"}));
  EXPECT_EQ(result.status, 4) << result.report;
  EXPECT_EQ(rogue.connections(), 2);
}

TEST(Rogue, AFloodKeepsToTheReceiveMaximum) {
  for (const std::string& maximum : {"\x01"s, "\x03"s}) {
    for (const char* qos : {"1", "2"}) {
      const RogueBroker rogue{
          std::vector<Reply>{{RogueBroker::connect_packet, "\x20\x06\x00\x00\x03\x21\x00"s + maximum}} +
          honest_acknowledgements()};
      const Result result =
          run(tool(PUB, rogue.port(), {"-V", "5", "-t", "a", "-l", "-q", qos, "--max-inflight", "100"}), numbered(200));
      EXPECT_EQ(result.status, 0) << result.report;
      EXPECT_EQ(count_of(PacketType::publish, rogue.packets()), 200);
    }
  }
}

TEST(Rogue, SoManyAreUnderWayWhereTheUserSaysNothing) {
  const Reply in_v5{RogueBroker::connect_packet, "\x20\x03\x00\x00\x00"s};
  const Reply with_maximum{RogueBroker::connect_packet, "\x20\x06\x00\x00\x03\x21\x00\x07"s};
  struct Case {
    const char* version;
    const char* qos;
    Reply connack;
    int expected;
  };
  for (const Case& one : {Case{"311", "1", accepted, 100}, Case{"311", "2", accepted, 20}, Case{"5", "2", in_v5, 100},
                          Case{"5", "1", with_maximum, 7}}) {
    const RogueBroker rogue{{one.connack}};
    Process publisher{tool(PUB, rogue.port(), {"-V", one.version, "-t", "a", "-l", "-q", one.qos})};
    publisher.write(numbered(200));
    publisher.close_stdin();
    const auto sent = [&] { return count_of(PacketType::publish, rogue.packets()); };
    while (sent() < one.expected) {
      publisher.poll_output();
      ASSERT_FALSE(publisher.ended());
      std::this_thread::sleep_for(10ms);
    }
    publisher.signal(SIGTERM);
    publisher.wait();
    EXPECT_EQ(sent(), one.expected) << "MQTT " << one.version << ", QoS " << one.qos;
  }
}

TEST(Rogue, WhatALossInterruptedIsSentAgainInACleanSession) {
  for (const char* qos : {"1", "2"}) {
    const auto honest = std::vector<Reply>{accepted} + honest_acknowledgements();
    const RogueBroker rogue{
        honest + std::vector<Reply>{{.to = RogueBroker::publish_packet, .then_close = true, .after = 300}}, honest};
    const Result result = run(tool(PUB, rogue.port(), {"-t", "a", "-l", "-q", qos}), numbered(1000));
    EXPECT_EQ(result.status, 0) << result.report;
    EXPECT_EQ(rogue.connections(), 2);
    EXPECT_GE(count_of(PacketType::publish, rogue.packets()), 1000);
  }
}

TEST(Rogue, WhatALossInterruptedGoesOnInAKeptSession) {
  for (const char* qos : {"1", "2"}) {
    // The first connection ends with messages that nobody has acknowledged, and with half an exchange at QoS 2.
    const auto none_after = [](const Packet& publish) {
      return *publish.id > 3 ? std::string{} : acknowledgement(publish.qos == 1 ? 4 : 5, *publish.id);
    };
    const std::vector<Reply> first{accepted,
                                   {.to = RogueBroker::publish_packet, .answer = none_after},
                                   {.to = RogueBroker::publish_packet, .then_close = true, .after = 9}};
    const RogueBroker rogue{
        first, std::vector<Reply>{{RogueBroker::connect_packet, "\x20\x02\x01\x00"s}} + honest_acknowledgements()};
    const Result result = run(tool(PUB, rogue.port(), {"-t", "a", "-l", "-q", qos, "-c", "-i", "me"}), numbered(50));
    EXPECT_EQ(result.status, 0) << result.report;
    std::set<int> ids;
    int again = 0;
    for (const Packet& packet : rogue.packets()) {
      if (packet.type == PacketType::publish) {
        ids.insert(*packet.id);
        again += packet.duplicate ? 1 : 0;
      }
    }
    EXPECT_EQ(ids.size(), 50U) << "each message has its own";
    EXPECT_GT(again, 0);
    EXPECT_FALSE(rogue.packets()[0].clean);
  }
}

TEST(Rogue, ASessionThatTheBrokerHasForgottenIsBegunAnew) {
  const auto none = [](const Packet&) { return std::string{}; };
  const std::vector<Reply> first{accepted,
                                 {.to = RogueBroker::publish_packet, .answer = none},
                                 {.to = RogueBroker::publish_packet, .then_close = true, .after = 9}};
  const RogueBroker rogue{first, std::vector<Reply>{accepted} + honest_acknowledgements()};
  const Result result = run(tool(PUB, rogue.port(), {"-t", "a", "-l", "-q", "1", "-c", "-i", "me"}), numbered(50));
  EXPECT_EQ(result.status, 0) << result.report;
}

TEST(Rogue, TopicAliasesAreGivenWithinTheBrokersMaximum) {
  const RogueBroker rogue{std::vector<Reply>{{RogueBroker::connect_packet, "\x20\x06\x00\x00\x03\x22\x00\x02"s}} +
                          honest_acknowledgements()};
  for (const char* qos : {"0", "1", "2"}) {
    EXPECT_EQ(
        run(tool(PUB, rogue.port(), {"--topic-alias", "auto", "-t", "one/topic", "-l", "-q", qos}), numbered(3)).status,
        0);
  }
  int without = 0;
  for (const Packet& packet : rogue.packets()) {
    if (packet.type == PacketType::publish) {
      EXPECT_EQ(number_in(packet.properties, "topic-alias"), 1U);
      without += packet.topic.empty() ? 1 : 0;
    }
  }
  EXPECT_EQ(without, 6) << "two of each three";
  // A broker that takes none gets none.
  const RogueBroker plain{std::vector<Reply>{accepted_v5} + honest_acknowledgements()};
  EXPECT_EQ(run(tool(PUB, plain.port(), {"--topic-alias", "auto", "-t", "a", "-m", "x", "-q", "1"})).status, 0);
  EXPECT_EQ(plain.packets().at(1).topic, "a");
}

TEST(Rogue, AnArrivingAliasIsResolvedAndAnUnknownOneIsAFault) {
  const std::string known = "\x30\x08\x00\x01t\x03\x23\x00\x01x"s + "\x30\x07\x00\x00\x03\x23\x00\x01y"s;
  const RogueBroker rogue{{accepted_v5, {RogueBroker::subscribe_packet, "\x90\x04\x00\x01\x00\x00"s + known}}};
  const Result result = run(tool(SUB, rogue.port(), {"-V", "5", "-t", "t", "-v", "-C", "2"}));
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_EQ(result.out, "t x\nt y\n");
  const RogueBroker wrong{
      {accepted_v5, {RogueBroker::subscribe_packet, "\x90\x04\x00\x01\x00\x00\x30\x07\x00\x00\x03\x23\x00\x07y"s}}};
  const Result fault = run(tool(SUB, wrong.port(), {"-V", "5", "-t", "t", "-v", "--no-reconnect"}));
  EXPECT_EQ(fault.status, 3) << fault.report;
  EXPECT_EQ(fault.out, "");
  EXPECT_NE(fault.err.find("has used a topic alias that it never set"), std::string::npos) << fault.report;
  const auto packets = wrong.packets();
  ASSERT_EQ(packets.back().type, PacketType::disconnect) << fault.report;
  EXPECT_EQ(packets.back().codes, std::vector{0x94});
}

TEST(Rogue, WhatTheBrokerDoesNotOfferIsNotAskedFor) {
  const std::tuple<std::string, Arguments, std::string> table[] = {
      {"\x28\x00"s, {"-t", "a/#"}, "it takes no filters with + or #"},
      {"\x2A\x00"s, {"-t", "$share/g/a"}, "it has no shared subscriptions"},
      {"\x29\x00"s,
       {"-t", "a", "-D", "subscribe", "subscription-identifier", "7"},
       "it takes no subscription identifier"},
  };
  for (const auto& [property, arguments, words] : table) {
    const RogueBroker rogue{{{RogueBroker::connect_packet, "\x20\x05\x00\x00\x02"s + property}}};
    Arguments all{"-V", "5"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const Result result = run(tool(SUB, rogue.port(), all));
    EXPECT_EQ(result.status, 5) << result.report;
    EXPECT_NE(result.err.find(words), std::string::npos) << result.report;
    EXPECT_EQ(count_of(PacketType::subscribe, rogue.packets()), 0);
  }
}

TEST(Rogue, WhatIsAskedForWithAFilterIsInItsOptions) {
  const RogueBroker rogue{{accepted_v5, {RogueBroker::subscribe_packet, "\x90\x04\x00\x01\x00\x00"s}}};
  const Result result = run(
      tool(SUB, rogue.port(),
           {"-V", "5", "-t", "a", "-q", "1", "-E", "--no-local", "--retain-as-published", "--retain-handling", "new"}));
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_EQ(rogue.packets().at(1).filters.at(0).options, 0x1D);
}

TEST(Rogue, AWillIsAskedForAtTheEndWhereThatIsWanted) {
  const RogueBroker rogue{std::vector<Reply>{accepted_v5} + honest_acknowledgements()};
  EXPECT_EQ(run(tool(PUB, rogue.port(), {"-t", "a", "-m", "x", "-q", "1", "--will-topic", "w", "--will-on-disconnect"}))
                .status,
            0);
  const auto packets = rogue.packets();
  ASSERT_EQ(packets.back().type, PacketType::disconnect);
  EXPECT_EQ(packets.back().codes, std::vector{4});
}

TEST(Rogue, TheNextOfSeveralBrokersServesWhereTheFirstDoesNot) {
  const RogueBroker busy{{{RogueBroker::connect_packet, "\x20\x02\x00\x03"s, true}}};
  const RogueBroker good{std::vector<Reply>{accepted} + honest_acknowledgements()};
  const std::string place = "127.0.0.1:";
  const std::string hosts = place + std::to_string(free_port()) + "," + place + std::to_string(busy.port()) + "," +
                            place + std::to_string(good.port());
  const Result result = run(tool(PUB, 1, {"-h", hosts, "-t", "a", "-m", "x", "-q", "1"}));
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_EQ(busy.connections(), 1);
  EXPECT_EQ(good.connections(), 1);
  const std::string url = "mqtt://127.0.0.1:";
  const Result by_url = run(tool(PUB, 1,
                                 {"-L", url + std::to_string(busy.port()) + "/a", "-L",
                                  url + std::to_string(good.port()) + "/a", "-m", "x", "-q", "1"}));
  EXPECT_EQ(by_url.status, 0) << by_url.report;
  EXPECT_EQ(good.connections(), 2);
  const Result none = run(tool(PUB, 1, {"-h", hosts.substr(0, hosts.rfind(',')), "-t", "a", "-m", "x"}));
  EXPECT_EQ(none.status, 3) << none.report;
  EXPECT_NE(none.err.find("connection refused"), std::string::npos) << none.report;
  EXPECT_NE(none.err.find("service not available"), std::string::npos) << none.report;
}

}  // namespace
}  // namespace sistem::test
