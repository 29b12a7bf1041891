// Messages of a session that the broker keeps: none is lost, none is taken by a run that does not print it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <map>
#include <sstream>
#include <thread>

#include "tests/integration/tools.hpp"
#include "tests/support/rogue_broker.hpp"
#include "tests/support/temporary.hpp"

namespace sistem::test {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using Reply = RogueBroker::Reply;

constexpr int pubrec_packet = 5;

/// CONNACK of a broker that has kept the session, in that version; in MQTT 5 with these properties.
std::string accepted(const std::string& version, bool present = true, const std::string& properties = {}) {
  const std::string flags{static_cast<char>(present ? 1 : 0), 0};
  return version == "5" ? "\x20"s + static_cast<char>(3 + properties.size()) + flags +
                              static_cast<char>(properties.size()) + properties
                        : "\x20\x02"s + flags;
}

/// PUBLISH on the topic t with that QoS and packet id.
std::string message(const std::string& version, char qos, char id, const std::string& payload, bool duplicate = false) {
  const std::string rest = "\0\1t\0"s + id + (version == "5" ? "\0"s : "") + payload;
  return static_cast<char>(0x30 | (duplicate ? 8 : 0) | qos << 1) + std::string{static_cast<char>(rest.size())} + rest;
}

/// SUBACK for one filter.
std::string suback(const std::string& version, char code) {
  return version == "5" ? "\x90\x04\x00\x01\x00"s + code : "\x90\x03\x00\x01"s + code;
}

std::string three_messages(const std::string& version) {
  return message(version, 1, 11, "m1") + message(version, 1, 12, "m2") + message(version, 1, 13, "m3");
}

int count_of(PacketType type, const RogueBroker& broker) {
  const auto packets = broker.packets();
  return static_cast<int>(
      std::count_if(packets.begin(), packets.end(), [&](const Packet& one) { return one.type == type; }));
}

/// Waits until clients have sent so many packets of that type.
void wait_for(const RogueBroker& broker, PacketType type, int count) {
  for (const auto end = std::chrono::steady_clock::now() + patience;
       count_of(type, broker) < count && std::chrono::steady_clock::now() < end;) {
    std::this_thread::sleep_for(2ms);
  }
  ASSERT_GE(count_of(type, broker), count) << packet_name(type);
}

Start kept(const char* executable, const RogueBroker& broker, const std::string& version, const Arguments& more) {
  return tool(executable, broker.port(), Arguments{"-V", version, "-c", "-i", "k"} + more);
}

class KeptSession : public testing::TestWithParam<std::string> {
 protected:
  [[nodiscard]] std::string version() const { return GetParam(); }
  /// An answer to SUBSCRIBE, whatever its packet id.
  [[nodiscard]] Reply any_subscribe() const {
    return {.to = RogueBroker::subscribe_packet, .bytes = "", .answer = [this](const Packet& subscribe) {
              std::string answer = suback(version(), 2);
              answer[3] = static_cast<char>(*subscribe.id);
              return answer;
            }};
  }
};
INSTANTIATE_TEST_SUITE_P(InVersion, KeptSession, testing::Values("311", "5"));

TEST_P(KeptSession, WhatArrivedBeforeSubackIsPrintedHoweverTheRunEnds) {
  const Reply greeting{RogueBroker::connect_packet, accepted(version()) + three_messages(version())};
  const std::tuple<Reply, Arguments, int> table[] = {
      {{RogueBroker::subscribe_packet, suback(version(), '\x80')}, {}, 5},
      {{RogueBroker::subscribe_packet, ""}, {"-W", "1"}, 27},
      {{RogueBroker::subscribe_packet, "", true}, {"--no-reconnect"}, 3},
  };
  for (const auto& [reply, options, status] : table) {
    const RogueBroker rogue{{greeting, reply}};
    const Result result = run(kept(SUB, rogue, version(), Arguments{"-t", "t", "-q", "1"} + options));
    EXPECT_EQ(result.status, status) << result.report;
    EXPECT_EQ(result.out, "m1\nm2\nm3\n") << result.report;
    if (status != 3) {
      wait_for(rogue, PacketType::puback, 3);
    }
  }
}

TEST_P(KeptSession, AStopBeforeSubackPrintsWhatArrivedAndSaysThatItWasAStop) {
  const RogueBroker rogue{{Reply{RogueBroker::connect_packet, accepted(version()) + three_messages(version())}}};
  Process subscriber{kept(SUB, rogue, version(), {"-t", "t", "-q", "1"})};
  wait_for(rogue, PacketType::subscribe, 1);
  EXPECT_EQ(count_of(PacketType::puback, rogue), 0) << "nothing is printed yet";
  subscriber.signal(SIGTERM);
  EXPECT_EQ(subscriber.wait(), 3) << subscriber.report();
  EXPECT_EQ(count_of(PacketType::puback, rogue), 3) << subscriber.report();
  EXPECT_EQ(subscriber.out(), "m1\nm2\nm3\n");
  EXPECT_NE(subscriber.err().find("sub: stopped before"), std::string::npos) << subscriber.report();
  EXPECT_EQ(subscriber.err().find("did not answer"), std::string::npos) << subscriber.report();
}

TEST_P(KeptSession, ARunThatPrintsNothingTakesNothing) {
  const std::string waiting = message(version(), 1, 11, "m1") + message(version(), 2, 12, "m2");
  const auto replies = [&](bool acknowledges) {
    std::vector<Reply> all{{RogueBroker::connect_packet, accepted(version()) + waiting}};
    if (acknowledges) {
      const auto honest = honest_acknowledgements();
      all.insert(all.end(), honest.begin(), honest.end());
    }
    return all;
  };
  const std::pair<Arguments, int> table[] = {{{"-t", "other", "-m", "x", "-q", "1"}, 0},
                                             {{"-t", "other", "-m", "x", "-q", "2"}, 0},
                                             {{"--ping", "-W", "0.5"}, 27},
                                             {{"-t", "ask", "-m", "x", "--request", "-W", "0.5"}, 27}};
  for (const auto& [options, status] : table) {
    const RogueBroker rogue{replies(true)};
    const Result result = run(kept(PUB, rogue, version(), options));
    EXPECT_EQ(result.status, status) << result.report;
    EXPECT_EQ(count_of(PacketType::puback, rogue), 0) << result.report;
    EXPECT_EQ(count_of(PacketType::pubrec, rogue), 0) << result.report;
  }
}

// In MQTT 3.1.1 too it is printed when it arrives; the exchange goes on in the next run.
TEST_P(KeptSession, AStopBetweenPubrecAndPubrelLosesNothingAndBringsNothingTwice) {
  const RogueBroker rogue{
      {{RogueBroker::connect_packet, accepted(version())},
       {RogueBroker::subscribe_packet, suback(version(), 2) + message(version(), 2, 7, "precious")}},
      {{RogueBroker::connect_packet, accepted(version()) + "\x62\x02\x00\x07"s},
       {RogueBroker::subscribe_packet, suback(version(), 2)}}};
  Process first{kept(SUB, rogue, version(), {"-t", "t", "-q", "2"})};
  wait_for(rogue, PacketType::pubrec, 1);
  first.signal(SIGTERM);
  EXPECT_EQ(first.wait(), 0) << first.report();
  EXPECT_EQ(first.out(), "precious\n");
  Process second{kept(SUB, rogue, version(), {"-t", "t", "-q", "2"})};
  second.wait_for_stderr("subscribed to");
  wait_for(rogue, PacketType::pubcomp, 1);
  second.signal(SIGTERM);
  EXPECT_EQ(second.wait(), 0) << second.report();
  EXPECT_EQ(second.out(), "");
}

TEST_P(KeptSession, AnExchangeUnderWayIsEndedBeforeDisconnect) {
  const auto pubrel_late = [](const Packet& pubrec) {
    std::this_thread::sleep_for(50ms);
    return "\x62\x02\x00"s + static_cast<char>(*pubrec.id);
  };
  const RogueBroker rogue{{{RogueBroker::connect_packet, accepted(version())},
                           {RogueBroker::subscribe_packet, suback(version(), 2) + message(version(), 2, 7, "precious")},
                           {.to = pubrec_packet, .bytes = "", .answer = pubrel_late}}};
  const Result result = run(kept(SUB, rogue, version(), {"-t", "t", "-q", "2", "-C", "1"}));
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_EQ(result.out, "precious\n");
  wait_for(rogue, PacketType::disconnect, 1);
  const auto packets = rogue.packets();
  ASSERT_GE(packets.size(), 2U);
  EXPECT_EQ(packets[packets.size() - 2].type, PacketType::pubcomp) << result.report;
}

TEST_P(KeptSession, WhatIsSentAgainInTheMiddleOfAnExchangeIsAcknowledgedAndPrintedOnce) {
  const RogueBroker rogue{
      {{RogueBroker::connect_packet, accepted(version())},
       {RogueBroker::subscribe_packet, suback(version(), 2) + message(version(), 2, 7, "precious")},
       {pubrec_packet, "", true}},
      {{RogueBroker::connect_packet, accepted(version()) + message(version(), 2, 7, "precious", true)},
       any_subscribe(),
       {pubrec_packet, "\x62\x02\x00\x07"s + message(version(), 1, 8, "next")}}};
  const Result result = run(kept(SUB, rogue, version(), {"-t", "t", "-q", "2", "-C", "2"}));
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_EQ(result.out, "precious\nnext\n");
  EXPECT_EQ(count_of(PacketType::pubrec, rogue), 2);
  EXPECT_EQ(count_of(PacketType::pubcomp, rogue), 1);
}

TEST_P(KeptSession, SoIsWhatACleanSessionLosesBetweenPubrecAndPubrel) {
  const RogueBroker rogue{
      {{RogueBroker::connect_packet, accepted(version(), false)},
       {RogueBroker::subscribe_packet, suback(version(), 2) + message(version(), 2, 7, "m1")},
       {pubrec_packet, "", true}},
      {{RogueBroker::connect_packet, accepted(version(), false) + message(version(), 2, 1, "m2")}, any_subscribe()}};
  const Result result = run(tool(SUB, rogue.port(), {"-V", version(), "-t", "t", "-q", "2", "-C", "2"}));
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_EQ(result.out, "m1\nm2\n");
}

std::string receive_maximum(char number) { return "\x21\x00"s + number; }

/// Takes five messages, closes the connection, and then accepts it again with a Receive Maximum of 2.
std::vector<Reply> closes_at_the_fifth() {
  return {{RogueBroker::connect_packet, accepted("5", false, receive_maximum(5))},
          {.to = RogueBroker::publish_packet, .bytes = "", .then_close = true, .after = 4}};
}

TEST(KeptSessionInMqtt5, WhatIsSentAgainKeepsToTheNewReceiveMaximum) {
  for (const char* qos : {"1", "2"}) {
    const RogueBroker rogue{closes_at_the_fifth(),
                            {{RogueBroker::connect_packet, accepted("5", true, receive_maximum(2))}}};
    Process publisher{kept(PUB, rogue, "5", {"-t", "a", "-q", qos, "-l"})};
    publisher.write(numbered(12));
    publisher.wait_for_stderr("connected again");
    wait_for(rogue, PacketType::publish, 5 + 2);
    std::this_thread::sleep_for(100ms);  // whoever does not keep to it has sent more by then
    EXPECT_EQ(count_of(PacketType::publish, rogue), 5 + 2);
  }
}

TEST(KeptSessionInMqtt5, AllOfItIsSentAgainInTheEnd) {
  for (const char* qos : {"1", "2"}) {
    std::vector<Reply> then{{RogueBroker::connect_packet, accepted("5", true, receive_maximum(2))}};
    const auto honest = honest_acknowledgements();
    then.insert(then.end(), honest.begin(), honest.end());
    const RogueBroker rogue{closes_at_the_fifth(), then};
    const Result result = run(kept(PUB, rogue, "5", {"-t", "a", "-q", qos, "-l"}), numbered(12));
    EXPECT_EQ(result.status, 0) << result.report;
    EXPECT_EQ(rogue.connections(), 2);
    EXPECT_EQ(count_of(PacketType::publish, rogue), 5 + 12) << result.report;
  }
}

TEST(KeptSessionInMqtt5, WhatTheNewConnackForbidsIsNotSentAgain) {
  const std::tuple<std::string, Arguments, std::string> table[] = {
      {"\x24\x01"s, {"-q", "2"}, "it takes QoS 1 at most"},
      {"\x25\x00"s, {"-q", "1", "-r"}, "it keeps no retained messages"},
      {"\x27\x00\x00\x00\x0A"s, {"-q", "1"}, "it takes packets of 10 bytes at most"},
      {"\x22\x00\x02"s, {"-q", "1", "-D", "publish", "topic-alias", "3"}, "it takes topic aliases up to 2"},
  };
  for (const auto& [property, options, words] : table) {
    const RogueBroker rogue{{{RogueBroker::connect_packet, accepted("5", false, "\x22\x00\x09"s)},
                             {.to = RogueBroker::publish_packet, .bytes = "", .then_close = true}},
                            {{RogueBroker::connect_packet, accepted("5", true, property)}}};
    const Result result = run(kept(PUB, rogue, "5", Arguments{"-t", "a", "-m", "twenty-six bytes"} + options));
    EXPECT_EQ(result.status, 5) << result.report;
    EXPECT_NE(result.err.find(" would refuse the message to a: " + words), std::string::npos) << result.report;
    EXPECT_EQ(count_of(PacketType::publish, rogue), 1) << result.report;
  }
}

TEST(KeptSessionInMqtt5, TheNumberOfMessagesThatAreWantedIsAnnounced) {
  const std::tuple<Arguments, std::optional<std::uint32_t>> table[] = {
      {{"-C", "3"}, 3U},
      {{"-C", "100000"}, std::nullopt},
      {{"-C", "3", "-D", "connect", "receive-maximum", "7"}, 7U},
      {{"-C", "3", "--match", "x"}, std::nullopt},
      {Arguments{}, std::nullopt},
  };
  for (const auto& [options, expected] : table) {
    const RogueBroker rogue{
        {{RogueBroker::connect_packet, accepted("5")}, {RogueBroker::subscribe_packet, suback("5", '\x80')}}};
    const Result result = run(kept(SUB, rogue, "5", Arguments{"-t", "t", "-q", "1"} + options));
    ASSERT_FALSE(rogue.packets().empty()) << result.report;
    EXPECT_EQ(number_in(rogue.packets().front().properties, "receive-maximum"), expected) << result.report;
  }
}

TEST(KeptSessionUsage, AnEmptyIdIsNone) {
  const TemporaryFolder folder;
  const auto file = folder.write("options", "id =\n");
  for (const char* executable : {PUB, SUB}) {
    for (const Arguments& options : {Arguments{"-i", ""}, Arguments{"-i", "", "-V", "5"},
                                     Arguments{"-i", "", "-V", "5", "-x", "60"}, Arguments{"-o", file}}) {
      const Result result = run(tool(executable, 1, options + Arguments{"-c"}));
      EXPECT_EQ(result.status, 2) << result.report;
      EXPECT_NE(result.err.find("--disable-clean-session needs --id: a session"), std::string::npos) << result.report;
    }
    Start start = tool(executable, 1, {"-c", "-t", "t"});
    start.environment["MQTT_ID"] = "";
    EXPECT_EQ(run(start).status, 2);
  }
}

class KeptByMosquitto : public testing::Test {
 protected:
  void SetUp() override { NEEDS_MOSQUITTO(); }

  /// Lets `count` messages of that size wait for the session s.
  void let_wait(const std::string& version, const std::string& qos, int count, const std::string& size) const {
    ASSERT_EQ(run(sub(broker_, session(version, qos) + Arguments{"-E"})).status, 0);
    ASSERT_EQ(run(pub(broker_, {"-V", version, "-t", "t", "-q", qos, "--template", "%{seq} %{pad}", "--size", size,
                                "--repeat", std::to_string(count)}))
                  .status,
              0);
  }
  static Arguments session(const std::string& version, const std::string& qos) {
    return {"-V", version, "-c", "-i", "s", "-t", "t", "-q", qos};
  }
  /// How often each message was printed, by its number.
  static void count(const std::string& out, std::map<int, int>& printed) {
    std::istringstream lines{out};
    for (std::string line; std::getline(lines, line);) {
      ++printed[std::stoi(line)];
    }
  }

  /// Lets a reader stall, ends the run, and looks whether all comes in the next one. SIGPIPE: the reader goes.
  void expect_all_after(const char* version, const char* qos, int end) const {
    constexpr int messages = 300;
    constexpr int in_flight = 20;        // Mosquitto sends so many before it has their acknowledgements
    constexpr int in_the_pipe = 65 / 2;  // of 2 KB: if their reader goes they go with it
    let_wait(version, qos, messages, "2000");
    Process first{sub(broker_, session(version, qos))};
    first.wait_for_full_stdout();
    if (end == SIGPIPE) {
      first.close_stdout();
    } else {
      first.signal(end);
    }
    (void)first.wait_without_reading();
    first.poll_output();
    std::map<int, int> printed;
    count(first.out().substr(0, first.out().rfind('\n') + 1), printed);
    count(run(sub(broker_, session(version, qos) + Arguments{"--idle", "1", "-W", "15"})).out, printed);
    const std::string how = fmt::format("MQTT {}, QoS {}, signal {}", version, qos, end);
    EXPECT_GE(printed.size(), messages - (end == SIGPIPE ? in_the_pipe : 0)) << how;
    const auto twice = std::count_if(printed.begin(), printed.end(), [](const auto& one) { return one.second > 1; });
    EXPECT_LE(twice, in_flight) << how;
    ASSERT_EQ(run(sub(broker_, {"-V", version, "-i", "s", "-t", "t", "-E"})).status, 0);  // ends the session
  }

  const Broker broker_{"allow_anonymous true\nmax_queued_messages 0\n"};
};

TEST_F(KeptByMosquitto, ManyLargeMessagesOfQos2AreTaken) {
  let_wait("311", "2", 300, "200000");
  const Result result = run(sub(broker_, session("311", "2") + Arguments{"-C", "300", "-W", "15", "-F", "%l"}));
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 300);
}

// Each time so many and no more, and the end resets no connection: acknowledgements would be lost with it.
TEST_F(KeptByMosquitto, InPortionsEachMessageIsPrintedOnce) {
  constexpr int messages = 3000;
  for (const char* version : {"311", "5"}) {
    for (const char* qos : {"1", "2"}) {
      let_wait(version, qos, messages, "100");
      std::map<int, int> printed;
      for (int portion = 0; portion < 4; ++portion) {
        const Result result = run(sub(broker_, session(version, qos) + Arguments{"-C", "500", "-W", "15"}));
        EXPECT_EQ(result.status, 0) << result.err;
        count(result.out, printed);
      }
      count(run(sub(broker_, session(version, qos) + Arguments{"--idle", "1", "-W", "15"})).out, printed);
      EXPECT_EQ(printed.size(), messages) << version << " " << qos;
      const auto twice = std::count_if(printed.begin(), printed.end(), [](const auto& one) { return one.second > 1; });
      EXPECT_EQ(twice, 0) << version << " " << qos;
      ASSERT_EQ(run(sub(broker_, {"-V", version, "-i", "s", "-t", "t", "-E"})).status, 0);  // ends the session
    }
  }
}

// Acknowledged means printed: what a reader that stalls has not taken is still with the broker, however the run ends.
TEST_F(KeptByMosquitto, WhatWasNotPrintedComesAgain) {
  expect_all_after("311", "1", SIGTERM);
  expect_all_after("5", "2", SIGTERM);
  expect_all_after("5", "1", SIGPIPE);
}

TEST_F(KeptByMosquitto, SoItDoesAfterAKill) {
  for (const char* version : {"311", "5"}) {
    expect_all_after(version, "1", SIGKILL);
    expect_all_after(version, "2", SIGKILL);
  }
}

TEST_F(KeptByMosquitto, WhatCouldNotBeWrittenOrRecordedComesAgain) {
  constexpr int messages = 300;
  for (const bool is_recording : {false, true}) {
    let_wait("5", "2", messages, "2000");
    Start start = sub(broker_, session("5", "2") + (is_recording ? Arguments{"--record", "/dev/full"} : Arguments{}));
    if (!is_recording) {
      start.command.insert(start.command.begin(), {"sh", "-c", "exec \"$@\" > /dev/full", "sh"});
    }
    EXPECT_EQ(run(start).status, 1);
    std::map<int, int> printed;
    count(run(sub(broker_, session("5", "2") + Arguments{"--idle", "1", "-W", "15"})).out, printed);
    EXPECT_EQ(printed.size(), messages);
    ASSERT_EQ(run(sub(broker_, {"-V", "5", "-i", "s", "-t", "t", "-E"})).status, 0);
  }
}

TEST_F(KeptByMosquitto, APingAndAPubLeaveEverythingThere) {
  for (const char* version : {"311", "5"}) {
    let_wait(version, "1", 500, "20");
    const auto with_session = [&](const Arguments& options) {
      return Arguments{"-V", version, "-c", "-i", "s"} + options;
    };
    for (const Start& start :
         {pub(broker_, with_session({"--ping"})), sub(broker_, with_session({"--ping", "-q", "1"})),
          sub(broker_, with_session({"--ping", "-q", "1", "-t", "t"})),
          pub(broker_, with_session({"-t", "other", "-m", "x", "-q", "1"}))}) {
      const Result result = run(start);
      EXPECT_EQ(result.status, 0) << result.report;
    }
    // The session has what it had before, and nothing more.
    ASSERT_EQ(run(pub(broker_, {"-t", "ping/s", "-m", "strange", "-q", "1"})).status, 0);
    ASSERT_EQ(run(pub(broker_, {"-t", "t", "-m", "501 ", "-q", "1"})).status, 0);
    std::map<int, int> printed;
    const Result rest = run(sub(broker_, session(version, "1") + Arguments{"--idle", "1", "-W", "15"}));
    ASSERT_EQ(rest.out.find("strange"), std::string::npos);
    count(rest.out, printed);
    for (int number = 1; number <= 501; ++number) {
      EXPECT_TRUE(printed.contains(number)) << number << " is lost, by MQTT " << version;
    }
    EXPECT_EQ(printed.size(), 501U) << version;
    ASSERT_EQ(run(sub(broker_, {"-V", version, "-i", "s", "-t", "t", "-E"})).status, 0);
  }
}

}  // namespace
}  // namespace sistem::test
