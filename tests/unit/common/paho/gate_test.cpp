#include "common/paho/gate.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sistem {
namespace {

using namespace std::string_literals;
using enum ProtocolVersion;
using Act = Gate::Act;

const std::string connack = "\x20\2\0\0"s;
const std::string connack_v5 = "\x20\3\0\0\0"s;

/// A packet of four bytes with that packet id.
std::string with_id(unsigned first_byte, char id) { return {static_cast<char>(first_byte), 2, 0, id}; }

std::string publish_1(char id) { return "\x32\6\0\1t\0"s + id + "x"; }
std::string publish_2(char id) { return "\x34\6\0\1t\0"s + id + "x"; }
std::string puback(char id) { return with_id(0x40, id); }
std::string pubrec(char id) { return with_id(0x50, id); }
std::string pubrel(char id) { return with_id(0x62, id); }
std::string pubcomp(char id) { return with_id(0x70, id); }

std::string subscribe(ProtocolVersion version, char id, int filters) {
  std::string rest = "\0"s + id + (version == v5 ? "\0"s : ""s);
  for (int count = 0; count < filters; ++count) {
    rest += "\0\1a\0"s;
  }
  return "\x82"s + static_cast<char>(rest.size()) + rest;
}
std::string unsubscribe(ProtocolVersion version, char id, int filters) {
  std::string rest = "\0"s + id + (version == v5 ? "\0"s : ""s);
  for (int count = 0; count < filters; ++count) {
    rest += "\0\1a"s;
  }
  return "\xA2"s + static_cast<char>(rest.size()) + rest;
}
std::string suback(ProtocolVersion version, char id, const std::string& codes, char type = '\x90') {
  const std::string rest = "\0"s + id + (version == v5 ? "\0"s : ""s) + codes;
  return type + std::string(1, static_cast<char>(rest.size())) + rest;
}

/// A gate whose CONNACK has come.
Gate opened(ProtocolVersion version, const std::set<std::uint16_t>& carried = {}) {
  Gate gate{version, carried};
  const std::string& answer = version == v5 ? connack_v5 : connack;
  gate.on_begin(static_cast<std::uint8_t>(answer[0]));
  EXPECT_EQ(gate.on_received(answer).act, Act::pass);
  return gate;
}

/// "pass", "drop", "answer: 62 03 ...", "refuse", "end", or "violation 0x82: it sent a second CONNACK".
std::string verdict(Gate& gate, const std::string& packet) {
  try {
    gate.on_begin(static_cast<std::uint8_t>(packet[0]));
    if (type_of(static_cast<std::uint8_t>(packet[0])) == PacketType::publish) {
      return gate.head_of(packet) ? "pass" : "more";
    }
    const auto [act, why, reply] = gate.on_received(packet);
    switch (act) {
      case Act::pass: return "pass";
      case Act::refuse: return "refuse";
      case Act::end: return "end";
      case Act::keep_back: {
        std::string words = reply.empty() ? "drop" : "answer:";
        for (const char byte : reply) {
          words += fmt::format(" {:02X}", static_cast<unsigned char>(byte));
        }
        return words;
      }
    }
    return "?";
  } catch (const Violation& violation) {
    return fmt::format("violation 0x{:02X}: {}", violation.code(), violation.what());
  }
}

std::string kind_of(const std::string& verdict) { return verdict.substr(0, verdict.find(':')); }

/// What stands for every state that a packet id of ours can be in: how it is come by, and what each acknowledgement is
/// then worth.
struct State {
  const char* name;
  std::vector<std::string> sent;
  std::vector<std::string> received;
  std::vector<std::string> sent_then;
  std::string puback, pubrec, pubcomp, suback, unsuback;
};

TEST(Gate, EachAcknowledgementIsWorthWhatTheStateOfItsPacketIdSays) {
  const std::string no = "violation 0x82";
  for (const ProtocolVersion version : {v31, v311, v5}) {
    const State states[] = {
        {"nothing", {}, {}, {}, "drop", "answer", "drop", "drop", "drop"},
        {"QoS 1", {publish_1(7)}, {}, {}, "pass", no, no, no, no},
        {"QoS 1 and PUBACK", {publish_1(7)}, {puback(7)}, {}, "drop", "answer", "drop", "drop", "drop"},
        {"QoS 2", {publish_2(7)}, {}, {}, no, "pass", no, no, no},
        {"QoS 2 and PUBREC", {publish_2(7)}, {pubrec(7)}, {}, no, "drop", no, no, no},
        {"QoS 2 and PUBREL", {publish_2(7)}, {pubrec(7)}, {pubrel(7)}, no, "answer", "pass", no, no},
        {"SUBSCRIBE", {subscribe(version, 7, 1)}, {}, {}, no, no, no, "pass", no},
        {"UNSUBSCRIBE", {unsubscribe(version, 7, 1)}, {}, {}, no, no, no, no, "pass"},
        {"an answered SUBSCRIBE",
         {subscribe(version, 7, 1)},
         {suback(version, 7, "\0"s)},
         {},
         "drop",
         "answer",
         "drop",
         "drop",
         "drop"},
    };
    const std::string unsubscribed = suback(version, 7, version == v5 ? "\0"s : ""s, '\xB0');
    for (const State& state : states) {
      const std::pair<std::string, std::string> packets[] = {{puback(7), state.puback},
                                                             {pubrec(7), state.pubrec},
                                                             {pubcomp(7), state.pubcomp},
                                                             {suback(version, 7, "\0"s), state.suback},
                                                             {unsubscribed, state.unsuback}};
      for (const auto& [packet, expected] : packets) {
        Gate gate = opened(version);
        for (const auto& one : state.sent) {
          gate.on_sent(one);
        }
        for (const auto& one : state.received) {
          EXPECT_EQ(verdict(gate, one), "pass");
        }
        for (const auto& one : state.sent_then) {
          gate.on_sent(one);
        }
        EXPECT_EQ(kind_of(verdict(gate, packet)), expected)
            << state.name << ", " << packet_name(type_of(static_cast<std::uint8_t>(packet[0])));
      }
    }
  }
}

TEST(Gate, WhatAnswersNothingIsAnsweredAsItsVersionHasIt) {
  Gate old = opened(v311);
  EXPECT_EQ(verdict(old, pubrec(7)), "answer: 62 02 00 07");
  Gate gate = opened(v5);
  EXPECT_EQ(verdict(gate, pubrec(7)), "answer: 62 03 00 07 92");
  gate.on_sent("\x62\3\0\7\x92"s);
  EXPECT_EQ(verdict(gate, pubcomp(7)), "drop") << "the library knows nothing of it";
  EXPECT_EQ(gate.answer(PacketType::pubcomp, 7, false), "\x70\3\0\7\x92"s);
  EXPECT_EQ(gate.answer(PacketType::pubcomp, 7, true), pubcomp(7));
  EXPECT_EQ(verdict(gate, "\x50\3\0\7\x97"s), "drop") << "it says that it will send nothing more";
  gate.on_sent(publish_2(7));
  EXPECT_EQ(verdict(gate, pubrec(7)), "pass");
  gate.on_sent(pubrel(7));
  EXPECT_EQ(verdict(gate, pubrec(7)), "answer: 62 02 00 07") << "a PUBREC that comes twice";
  gate.on_sent(publish_2(8));
  EXPECT_EQ(verdict(gate, "\x50\3\0\x08\x97"s), "pass");
  EXPECT_EQ(kind_of(verdict(gate, pubcomp(8))), "drop") << "the exchange ended with that PUBREC";
}

TEST(Gate, WhatAnEarlierConnectionHadUnderWayGoesOn) {
  Gate first = opened(v311);
  first.on_sent(publish_1(1));
  first.on_sent(publish_2(2));
  first.on_sent(publish_2(3));
  EXPECT_EQ(verdict(first, pubrec(3)), "pass");
  first.on_sent(pubrel(3));
  first.on_sent(subscribe(v311, 4, 1));
  EXPECT_EQ(first.under_way(), (std::set<std::uint16_t>{1, 2, 3}));
  Gate second = opened(v311, first.under_way());
  EXPECT_EQ(verdict(second, pubrec(2)), "drop") << "it will be sent again, and must not be released before that";
  EXPECT_EQ(verdict(second, puback(1)), "drop");
  second.on_sent(publish_1(1));
  EXPECT_EQ(verdict(second, puback(1)), "pass");
  second.on_sent(pubrel(3));
  EXPECT_EQ(verdict(second, pubcomp(3)), "pass");
}

TEST(Gate, CountsTheCodesOfTheAnswer) {
  for (const ProtocolVersion version : {v311, v5}) {
    Gate gate = opened(version);
    gate.on_sent(subscribe(version, 7, 2));
    EXPECT_EQ(verdict(gate, suback(version, 7, "\0"s)),
              "violation 0x82: it answered SUBSCRIBE with 1 codes for 2 filters");
    EXPECT_EQ(verdict(gate, suback(version, 7, "")),
              "violation 0x82: it answered SUBSCRIBE with 0 codes for 2 filters");
    EXPECT_EQ(verdict(gate, suback(version, 7, "\0\1\2"s)),
              "violation 0x82: it answered SUBSCRIBE with 3 codes for 2 filters");
    EXPECT_EQ(verdict(gate, suback(version, 7, "\0\x80"s)), "pass");
  }
  Gate gate = opened(v5);
  gate.on_sent(unsubscribe(v5, 7, 2));
  EXPECT_EQ(verdict(gate, suback(v5, 7, "\0"s, '\xB0')),
            "violation 0x82: it answered UNSUBSCRIBE with 1 codes for 2 filters");
}

TEST(Gate, OnlyConnackMayComeFirstAndOnlyOnce) {
  for (const std::string& packet : {puback(1), publish_1(1), "\xD0\0"s, "\xE0\1\x87"s, "\x48TTP"s}) {
    Gate gate{v5};
    EXPECT_EQ(kind_of(verdict(gate, packet)), "violation 0x82");
  }
  Gate gate = opened(v5);
  EXPECT_EQ(verdict(gate, connack_v5), "violation 0x82: it sent a second CONNACK");
  Gate asked{v5};
  EXPECT_EQ(verdict(asked, "\xF0\2\x18\0"s), "violation 0x82: its first packet is AUTH and not CONNACK");
}

TEST(Gate, ARefusalIsForNoLibrary) {
  Gate gate{v5};
  EXPECT_EQ(verdict(gate, "\x20\3\0\x87\0"s), "refuse");
  Gate old{v5};
  EXPECT_EQ(verdict(old, "\x20\2\0\1"s), "refuse") << "of a broker that speaks MQTT 3.1.1 only";
  Gate wrong{v5};
  EXPECT_EQ(kind_of(verdict(wrong, "\x20\2\0\0"s)), "violation 0x81") << "which cannot say yes to MQTT 5";
}

TEST(Gate, WhatIsAClientsToSendIsNotABrokers) {
  for (const ProtocolVersion version : {v311, v5}) {
    for (const std::string& packet : {"\x10\x0D\0\4MQTT\4\2\0\x3C\0\1a"s, subscribe(version, 1, 1),
                                      unsubscribe(version, 1, 1), "\xC0\0"s, "\xF0\0"s}) {
      Gate gate = opened(version);
      EXPECT_EQ(kind_of(verdict(gate, packet)), "violation 0x82")
          << packet_name(type_of(static_cast<std::uint8_t>(packet[0])));
    }
  }
  Gate old = opened(v311);
  EXPECT_EQ(kind_of(verdict(old, "\xE0\0"s)), "violation 0x82");
  Gate gate = opened(v5);
  EXPECT_EQ(verdict(gate, "\xE0\1\x8E"s), "end");
}

TEST(Gate, APingrespIsForAPingreq) {
  Gate gate = opened(v311);
  EXPECT_EQ(verdict(gate, "\xD0\0"s), "drop");
  gate.on_sent("\xC0\0"s);
  EXPECT_EQ(verdict(gate, "\xD0\0"s), "pass");
  EXPECT_EQ(verdict(gate, "\xD0\0"s), "drop");
}

TEST(Gate, WhatIsMalformedIsAViolation) {
  const std::pair<ProtocolVersion, std::string> table[] = {
      {v311, puback(0)},        // packet id 0
      {v311, "\x41\2\0\1"s},    // flags
      {v311, "\x60\2\0\1"s},    // the flag of PUBREL is missing
      {v311, "\x40\3\0\1\0"s},  // a byte too many
      {v311, "\x40\1\0"s},      // one too few
      {v311, "\xD0\1\0"s},
      {v311, "\xB0\3\0\1\0"s},  // codes came with MQTT 5
      {v311, "\x90\3\0\1\3"s},  // QoS 3
      {v5, "\x90\4\0\1\0\3"s},
      {v5, "\x40\3\0\1\1"s},  // no reason code
      {v5, "\x40\3\0\1\xC0"s},
      {v5, "\x40\4\0\1\0\5"s},                          // ends inside of its properties
      {v5, "\x40\7\0\1\0\3\x23\0\1"s},                  // a topic alias in PUBACK
      {v5, "\x40\x0E\0\1\0\x0A\x1F\0\2no\x1F\0\2no"s},  // a reason twice
      {v5, "\xE0\2\0\1"s},
      {v311, "\x0\0"s},
  };
  for (const auto& [version, packet] : table) {
    Gate gate = opened(version);
    EXPECT_EQ(kind_of(verdict(gate, packet)), "violation 0x81");
  }
  for (const std::string& packet : {"\x20\2\2\0"s, "\x20\1\0"s, "\x20\3\0\0\0"s, "\x21\2\0\0"s}) {
    Gate gate{v311};
    EXPECT_EQ(kind_of(verdict(gate, packet)), "violation 0x81");
  }
  for (const std::string& packet :
       {"\x20\x06\0\0\3\x21\0\0"s, "\x20\x05\0\0\2\x25\2"s, "\x20\x05\0\0\2\x01\1"s, "\x20\7\0\0\4\x25\1\x25\1"s,
        "\x20\4\0\0\0\0"s, "\x20\3\0\0\5"s, "\x20\x0D\0\0\x80\x80\x80\x80\0\0\3\x61\x62\x63"s}) {
    Gate gate{v5};
    EXPECT_EQ(kind_of(verdict(gate, packet)), "violation 0x81");
  }
}

TEST(Gate, AMessageIsLookedAtUpToItsPayload) {
  const std::pair<ProtocolVersion, std::string> wrong[] = {
      {v311, "\x36\6\0\1t\0\1x"s},  // QoS 3
      {v311, "\x38\4\0\1tx"s},      // DUP at QoS 0
      {v311, "\x30\2\0\1"s},        // the topic is cut off
      {v311, "\x30\1\0"s},
      {v311, "\x30\0"s},
      {v311, "\x30\3\0\0x"s},  // no topic
      {v311, "\x30\4\0\1#x"s},
      {v311, "\x30\5\0\2t+x"s},
      {v311, "\x30\4\0\1\0x"s},
      {v311, "\x32\5\0\1t\0\0"s},  // packet id 0
      {v311, "\x32\4\0\1t\0"s},    // half a packet id
      {v5, "\x30\3\0\1t"s},        // no properties
      {v5, "\x30\4\0\1t\1"s},      // cut off
      {v5, "\x30\5\0\1t\1\2"s},
      {v5, "\x30\4\0\0\0x"s},                // neither topic nor alias
      {v5, "\x30\7\0\0\3\x23\0\0x"s},        // alias 0
      {v5, "\x30\6\0\1t\2\x01\2"s},          // a boolean that is none
      {v5, "\x30\6\0\1t\2\x24\1"s},          // CONNACK's
      {v5, "\x30\x08\0\1t\4\x01\1\x01\1"s},  // twice
      {v5, "\x30\x08\0\1t\4\x08\0\1#"s},     // a wildcard in the response topic
      {v5, "\x30\x08\0\1t\x80\x80\x80\x80\1"s},
      {v5, "\x30\6\0\1t\x80\x80\x80"s},
  };
  for (const auto& [version, packet] : wrong) {
    Gate gate = opened(version);
    EXPECT_EQ(kind_of(verdict(gate, packet)), "violation 0x81") << testing::PrintToString(packet);
  }
  const std::pair<ProtocolVersion, std::string> right[] = {
      {v311, "\x30\3\0\1t"s},
      {v311, "\x3D\5\0\1t\1\0"s},
      {v311, "\x30\5\0\2\xFF\xFEx"s},  // no UTF-8: it is shown as it is
      {v5, "\x30\4\0\1t\0"s},
      {v5, "\x30\7\0\0\3\x23\0\5x"s},
      {v5, "\x30\x0B\0\1t\7\x0B\1\x0B\2\x23\0\5x"s},  // several subscription identifiers
  };
  for (const auto& [version, packet] : right) {
    Gate gate = opened(version);
    EXPECT_EQ(verdict(gate, packet), "pass") << testing::PrintToString(packet);
    // Cut anywhere it is not refused, and read no further than it goes.
    bool is_enough = false;
    for (std::size_t size = 1; size <= packet.size(); ++size) {
      const auto head = gate.head_of(std::string(packet, 0, size));
      EXPECT_TRUE(head || !is_enough);
      is_enough = head.has_value();
    }
    EXPECT_TRUE(is_enough);
  }
}

}  // namespace
}  // namespace sistem
