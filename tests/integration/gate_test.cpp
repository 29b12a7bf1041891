// What a broker sends that no honest one would: neither tool may crash, and each says what was wrong. .ci/run has these
// tests try the release build too: the heap that it has there is none of the sanitizers'.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <random>
#include <thread>

#include "common/process/descriptor.hpp"
#include "tests/integration/tools.hpp"
#include "tests/support/loopback.hpp"
#include "tests/support/rogue_broker.hpp"

namespace sistem::test {
namespace {

using namespace std::string_literals;
using Reply = RogueBroker::Reply;

const std::string pahos_first_id = "\0\1"s;

std::string connack(const std::string& version) { return version == "5" ? "\x20\x03\0\0\0"s : "\x20\x02\0\0"s; }

/// A packet with that beginning of its body and nothing else, or with a body of MQTT 5.
std::string packet(char first_byte, const std::string& body) {
  return first_byte + std::string(1, static_cast<char>(body.size())) + body;
}

/// SUBACK for all that was asked.
std::string granted(const Packet& subscribe, const std::string& version) {
  std::string body{static_cast<char>(*subscribe.id >> 8U), static_cast<char>(*subscribe.id & 0xFFU)};
  body += version == "5" ? "\0"s : ""s;
  return packet('\x90', body + std::string(subscribe.filters.size(), '\0'));
}

struct Odd {
  const char* version;  ///< "" is both
  std::string bytes;
  std::string words;  ///< on stderr
};

/// What both tools refuse whatever they do.
const Odd always[] = {
    {"", "\x20\x02\0\0"s, ""},  // in MQTT 5 malformed, in 3.1.1 the second
    {"311", "\x20\x02\0\0"s, "sent a second CONNACK"},
    {"5", "\x20\x03\0\0\0"s, "sent a second CONNACK"},
    {"", "\x10\x00"s, "sent CONNECT, which is a client's to send"},
    {"", "\x82\x05\0\1\0\0\0"s, "sent SUBSCRIBE, which is a client's to send"},
    {"", "\xC0\0"s, "sent PINGREQ, which is a client's to send"},
    {"311", "\xE0\0"s, "sent DISCONNECT"},
    {"", "\xF0\0"s, "sent AUTH"},
    {"", "\0\0"s, "there is no packet of type 0"},
    {"", "\x40\x02\0\0"s, "PUBACK: its packet id is 0"},
    {"", "\x41\x02\0\1"s, "PUBACK: the flags in its first byte"},
    {"", "\x60\x02\0\1"s, "PUBREL: the flags in its first byte"},
    {"", "\x40\x01\0"s, "PUBACK: it ends inside of the packet id"},
    {"311", "\x40\x03\0\1\0"s, "PUBACK: it has bytes behind its end"},
    {"", "\xD0\x01\0"s, "PINGRESP: it has bytes behind its end"},
    {"311", "\x90\x03\0\1\x07"s, "SUBACK: its return code 0x07 is none"},
    {"5", "\x90\x04\0\1\0\x07"s, "SUBACK: its reason code 0x07 is none"},
    {"5", "\x40\x04\0\1\0\x09"s, "PUBACK: it ends inside of its properties"},
    {"5", "\x50\x07\0\1\0\x03\x23\0\1"s, "PUBREC: it must not have the property topic-alias"},
    {"", "\x30\xFF\xFF\xFF\xFF\x01"s, "the length of a packet has more than four bytes"},
    {"", "\x36\x06\0\1t\0\1x"s, "PUBLISH: its QoS is 3"},
    {"", "\x38\x05\0\1t\0x"s, "PUBLISH: it is a duplicate with QoS 0"},
    {"", "\x30\x02\0\x09"s, "PUBLISH: it ends inside of the topic"},
    {"", "\x30\x05\0\1#\0x"s, "PUBLISH: its topic has a wildcard"},
    {"", "\x32\x06\0\1t\0\0x"s, "PUBLISH: its packet id is 0"},
    {"311", "\x30\x02\0\0"s, "PUBLISH: it has no topic"},
    {"5", "\x30\x03\0\0\0"s, "PUBLISH: it has neither a topic nor an alias"},
    {"5", "\x30\x05\0\1t\x7F\1"s, "PUBLISH: it ends inside of its properties"},
    {"5", "\x30\x06\0\1t\x02\x24\1"s, "PUBLISH: it must not have the property maximum-qos"},
    {"5", "\x30\x06\0\1t\x02\x01\2"s, "PUBLISH: its payload-format-indicator has no value of those"},
    {"5", "\x30\x08\0\1t\x04\x01\1\x01\1"s, "PUBLISH: it has the property payload-format-indicator twice"},
};

/// How both tools end over it.
void expect_told(const Result& result, const Odd& odd) {
  EXPECT_EQ(result.status, 3) << testing::PrintToString(odd.bytes) << result.report;
  EXPECT_NE(result.err.find("lost the connection"), std::string::npos) << result.report;
  EXPECT_NE(result.err.find(odd.words), std::string::npos) << odd.words << "\n" << result.report;
}

TEST(OddPackets, WhatNoBrokerMaySendEndsTheConnectionAndIsTold) {
  for (const Odd& odd : always) {
    for (const std::string version : {"311", "5"}) {
      if (odd.version != ""s && odd.version != version) {
        continue;
      }
      const RogueBroker for_sub{{{RogueBroker::connect_packet, connack(version)},
                                 {.to = RogueBroker::subscribe_packet, .bytes = "", .answer = [&](const Packet& one) {
                                    return granted(one, version) + odd.bytes;
                                  }}}};
      expect_told(run(tool(SUB, for_sub.port(),
                           {"-V", version, "-t", "a", "-t", "b", "-q", "2", "--no-reconnect", "-W", "20"})),
                  odd);
      const RogueBroker for_pub{
          {{RogueBroker::connect_packet, connack(version)}, {RogueBroker::publish_packet, odd.bytes}}};
      expect_told(run(tool(PUB, for_pub.port(), {"-V", version, "-t", "a", "-m", "x", "-q", "1", "--no-reconnect"})),
                  odd);
      if (version == "5") {  // which has a word for it
        EXPECT_EQ(for_pub.all_packets().back().type, PacketType::disconnect) << testing::PrintToString(odd.bytes);
      }
    }
  }
}

// These made the library free the same memory twice.
TEST(OddPackets, WhatAnswersAMessageByAnotherKindOfPacketEndsTheConnection) {
  struct Case {
    const char* qos;
    char first_byte;
    const char* name;
  };
  for (const std::string version : {"311", "5"}) {
    for (const Case& one : {Case{"1", '\x70', "PUBCOMP"}, Case{"1", '\x50', "PUBREC"}, Case{"1", '\x90', "SUBACK"},
                            Case{"1", '\xB0', "UNSUBACK"}, Case{"2", '\x40', "PUBACK"}, Case{"2", '\x70', "PUBCOMP"},
                            Case{"2", '\x90', "SUBACK"}, Case{"2", '\xB0', "UNSUBACK"}}) {
      const auto answer = [&](const Packet& publish) {
        const std::string id{static_cast<char>(*publish.id >> 8U), static_cast<char>(*publish.id & 0xFFU)};
        const bool has_codes = one.first_byte == '\x90' || (one.first_byte == '\xB0' && version == "5");
        const std::string rest = has_codes ? (version == "5" ? "\0\0"s : "\0"s) : "";
        const std::string honest = acknowledgement(one.qos == "1"s ? 4 : 5, *publish.id);
        return (*publish.id % 20 == 0 ? packet(one.first_byte, id + rest) : "") + honest;
      };
      const RogueBroker rogue{{{RogueBroker::connect_packet, connack(version)},
                               {.to = RogueBroker::publish_packet, .bytes = "", .answer = answer},
                               honest_acknowledgements().back()}};
      const Result result = run(
          tool(PUB, rogue.port(), {"-V", version, "-t", "a", "-l", "-q", one.qos, "--no-reconnect"}), numbered(500));
      EXPECT_EQ(result.status, 3) << result.report;
      EXPECT_NE(result.err.find(fmt::format("it sent {} with the packet id 20, which belongs to another", one.name)),
                std::string::npos)
          << result.report;
    }
  }
}

TEST(OddPackets, WhatAnswersNothingAnyMoreIsNoFault) {
  for (const std::string version : {"311", "5"}) {
    for (const char* qos : {"1", "2"}) {
      // Each acknowledgement comes twice, and others of exchanges that never were.
      const auto twice = [&](const Packet& publish) {
        const std::string one = acknowledgement(qos == "1"s ? 4 : 5, *publish.id);
        return one + one + acknowledgement(4, 0x7001) + acknowledgement(5, 0x7002) + "\x62\2\x70\3"s +
               acknowledgement(7, 0x7004) + "\xD0\0"s;
      };
      const auto completed_twice = [](const Packet& pubrel) {
        const std::string one = acknowledgement(7, *pubrel.id);
        return *pubrel.id < 0x7000 ? one + one : ""s;
      };
      const RogueBroker rogue{{{RogueBroker::connect_packet, connack(version)},
                               {.to = RogueBroker::publish_packet, .bytes = "", .answer = twice},
                               {.to = RogueBroker::pubrel_packet, .bytes = "", .answer = completed_twice}}};
      const Result result =
          run(tool(PUB, rogue.port(), {"-V", version, "-t", "a", "-l", "-q", qos, "-d"}), numbered(300));
      EXPECT_EQ(result.status, 0) << result.report.substr(0, 3000);
      EXPECT_EQ(rogue.connections(), 1);
      for (const char* words :
           {"<- PUBACK  packet id 28673", "not expected: no message waits for it\n", "-> PUBREL  packet id 28674",
            "-> PUBCOMP  packet id 28675", "not expected: no PINGREQ waits for it\n"}) {
        EXPECT_NE(result.err.find(words), std::string::npos) << words << "\n" << result.report.substr(0, 3000);
      }
    }
  }
}

TEST(OddPackets, ASubackHasACodeForEachFilter) {
  for (const std::string version : {"311", "5"}) {
    for (const std::size_t codes : {0U, 1U, 3U}) {
      const RogueBroker rogue{
          {{RogueBroker::connect_packet, connack(version)},
           {RogueBroker::subscribe_packet,
            packet('\x90', pahos_first_id + (version == "5" ? "\0"s : ""s) + std::string(codes, '\0'))}}};
      const Result result = run(tool(SUB, rogue.port(), {"-V", version, "-t", "a", "-t", "b", "-W", "20"}));
      EXPECT_EQ(result.status, 1) << result.report;
      EXPECT_NE(result.err.find(fmt::format("answered SUBSCRIBE with {} codes for 2 filters", codes)),
                std::string::npos)
          << result.report;
    }
  }
  // One without codes behind messages whose topics lie where the library looks for them.
  std::string messages;
  for (int count = 0; count < 200; ++count) {
    messages += "\x30\x32\0\x2F"s + std::string(0x2F, 'A') + "x";
  }
  const RogueBroker rogue{{{RogueBroker::connect_packet, connack("311")},
                           {RogueBroker::subscribe_packet, "\x90\x03\0\1\0"s + messages + "\x90\x02\x12\x34"s}}};
  const Result result = run(tool(SUB, rogue.port(), {"-t", "#", "-W", "0.5"}));
  EXPECT_EQ(result.status, 27) << result.report.substr(0, 3000);  // it answers nothing
  EXPECT_EQ(rogue.connections(), 1);
}

TEST(OddPackets, AConnackIsReadTheSameByAllOrByNone) {
  const std::string large =
      "\x20\x7C\0\0\x79"s + "\x26\0\x36"s + std::string(0x36, 'k') + "\0\x3E"s + std::string(0x3E, 'v');
  const std::pair<std::string, std::string> table[] = {
      {"\x20\x0D\0\0\x80\x80\x80\x80\0\x09\0\x03\x61\x62\x63"s, "CONNACK: the length of its properties"},
      {"\x20\x02\0\0"s, "CONNACK: it ends inside of its properties"},
      {"\x20\x02\0\1"s, "it does not speak MQTT 5 (CONNACK code 1)"},
      {"\x20\x04\0\0\x09\1"s, "CONNACK: it ends inside of its properties"},
      {"\x20\x05\0\0\x02\x25\2"s, "CONNACK: its retain-available has no value of those"},
      {"\x20\x01\0"s, "CONNACK: it ends inside of the code"},
      {"\x20\0"s, "CONNACK: it ends inside of the flags"},
      {"\x20\x03\x02\0\0"s, "CONNACK: its reserved flags are not 0"},
      {"\x40\x02\0\1"s, ""},
  };
  for (const auto& [bytes, words] : table) {
    for (const bool is_pub : {true, false}) {
      const char* const path = is_pub ? PUB : SUB;
      const Arguments arguments =
          is_pub ? Arguments{"-V", "5", "-t", "a", "-m", "x", "-q", "1"} : Arguments{"-V", "5", "-t", "a"};
      const RogueBroker first{{{RogueBroker::connect_packet, bytes}}};
      const Result result = run(tool(path, first.port(), arguments));
      EXPECT_TRUE(result.status == 3 || result.status == 4) << result.report;
      EXPECT_NE(result.err.find(words), std::string::npos) << result.report;
      // And once more, after one that left much behind in the memory.
      const RogueBroker second{{{RogueBroker::connect_packet, large},
                                {RogueBroker::publish_packet, "", true},
                                {RogueBroker::subscribe_packet, "", true}},
                               {{RogueBroker::connect_packet, bytes}}};
      const Result again = run(tool(path, second.port(), arguments + Arguments{"--reconnect-for", "0.5"}));
      EXPECT_TRUE(again.status == 3 || again.status == 4) << again.report;
    }
  }
}

/// A broker that accepts one client, and after some packets from it reads no more: its end of the connection.
Descriptor stop_reading(int listener, int packets) {
  Descriptor client{::accept(listener, nullptr, nullptr)};
  ::close(listener);
  for (const auto& answer : {"\x20\2\0\0"s, "\x90\3\0\1\0"s}) {
    std::array<char, 4096> bytes{};
    if (packets-- > 0) {
      EXPECT_GT(::read(client.get(), bytes.data(), bytes.size()), 0);
      EXPECT_EQ(::send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL), static_cast<ssize_t>(answer.size()));
    }
  }
  return client;
}

TEST(OddPackets, ABrokerThatSendsAndNeverReadsIsNoticed) {
  const int listener = listen_on_loopback();
  Process process{tool(SUB, port_of(listener), {"-t", "a", "-q", "1", "-k", "2", "--no-reconnect", "-F", "", "-N"})};
  const Descriptor client = stop_reading(listener, 2);
  const auto start = std::chrono::steady_clock::now();
  std::uint16_t id = 0;
  bool is_open = true;
  while (is_open) {  // none of the acknowledgements finds the socket full
    std::string messages;
    for (int count = 0; count < 50; ++count) {
      id = id == 65535 ? 1 : static_cast<std::uint16_t>(id + 1);
      messages += "\x32\6\0\1a"s + static_cast<char>(id >> 8U) + static_cast<char>(id & 0xFFU) + "x";
    }
    is_open = ::send(client.get(), messages.data(), messages.size(), MSG_NOSIGNAL) > 0 &&
              std::chrono::steady_clock::now() - start < std::chrono::seconds(40);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(40));
  process.signal(SIGTERM);
  EXPECT_EQ(process.wait(), 3) << process.report();
  EXPECT_NE(process.err().find("lost the connection to the broker"), std::string::npos) << process.report();
  EXPECT_NE(process.err().find("no answer to a ping for"), std::string::npos) << process.report();
}

TEST(OddPackets, ABrokerThatReadsNothingOfALargeMessageIsNoticed) {
  const int listener = listen_on_loopback();
  Process process{tool(PUB, port_of(listener), {"-t", "a", "-q", "1", "-k", "2", "--no-reconnect", "-s"})};
  process.write(std::string(30'000'000, 'x'));
  process.close_stdin();
  const Descriptor client = stop_reading(listener, 1);
  EXPECT_EQ(process.wait(), 3) << process.report();
  EXPECT_NE(process.err().find("the broker has read nothing for"), std::string::npos) << process.report();
}

/// Bytes that are nearly packets, of a seed.
std::string oddities(std::minstd_rand& random, const std::string& version) {
  const auto number = [&](int limit) { return static_cast<int>(random() >> 4U) % limit; };
  std::string all;
  for (int count = 1 + number(6); count > 0; --count) {
    std::string one;
    switch (number(4)) {
      case 0: {  // an acknowledgement
        const char types[] = "\x40\x50\x62\x70\x90\xB0";
        one = packet(types[number(6)], std::string{0, static_cast<char>(number(30))});
        break;
      }
      case 1:
        one = packet('\x34',
                     "\0\1t"s + std::string{0, static_cast<char>(1 + number(9))} + (version == "5" ? "\0x"s : "x"s));
        break;
      case 2: one = always[static_cast<std::size_t>(number(static_cast<int>(std::size(always))))].bytes; break;
      default: {
        std::string body(static_cast<std::size_t>(number(20)), '\0');
        for (char& byte : body) {
          byte = static_cast<char>(number(256));
        }
        one = packet(static_cast<char>(number(256)), body);
      }
    }
    if (number(4) == 0 && one.size() > 2) {
      one[static_cast<std::size_t>(2 + number(static_cast<int>(one.size()) - 2))] = static_cast<char>(number(256));
    }
    all += one;
  }
  return all;
}

TEST(OddPackets, NeitherToolCrashesOverAnyOfThem) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    const std::string version = seed % 2 == 0 ? "311" : "5";
    std::minstd_rand random{seed};
    const bool at_once = seed % 7 == 0;
    const RogueBroker rogue{
        {{.to = RogueBroker::connect_packet,
          .bytes = connack(version),
          .answer = [&](const Packet&) { return at_once ? oddities(random, version) : ""s; }},
         {.to = RogueBroker::subscribe_packet,
          .bytes = "",
          .answer = [&](const Packet& one) { return granted(one, version) + oddities(random, version); }},
         {.to = RogueBroker::publish_packet,
          .bytes = "",
          .answer =
              [&](const Packet& one) {
                return one.id ? acknowledgement(one.qos == 1 ? 4 : 5, *one.id) +
                                    (*one.id % 10 == 0 ? oddities(random, version) : ""s)
                              : oddities(random, version);
              }},
         honest_acknowledgements().back()},
        RogueBroker::Clients::mqtt_unchecked};
    const char* const qos = seed % 3 == 0 ? "0" : seed % 3 == 1 ? "1" : "2";
    const Arguments common{"-V", version, "-t", "a", "-q", qos, "--no-reconnect"};
    const Result sub = run(tool(SUB, rogue.port(), common + Arguments{"-t", "b", "-W", "0.05"}));
    EXPECT_LT(sub.status, 128) << seed << sub.report;
    const Result pub = run(tool(PUB, rogue.port(), common + Arguments{"-l"}), numbered(100));
    EXPECT_LT(pub.status, 128) << seed << pub.report;
  }
}

}  // namespace
}  // namespace sistem::test
