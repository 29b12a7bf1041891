// The tests' own judge of clients: each rule finds the client that breaks it, and lets the one that keeps it pass.
#include "tests/support/conformance.hpp"

#include <gtest/gtest.h>

#include <tuple>

namespace sistem::test {
namespace {

using namespace std::string_literals;

const std::string connect = "\x10\x0D\0\4MQTT\4\2\0\x3C\0\1a"s;
const std::string connect_v5 = "\x10\x0E\0\4MQTT\5\2\0\x3C\0\0\1a"s;
const std::string kept = "\x10\x0D\0\4MQTT\4\0\0\x3C\0\1a"s;
const std::string connack = "\x20\2\0\0"s;
const std::string present = "\x20\2\1\0"s;

/// What is sent in turn: "c" the client, "b" the broker, "n" a new connection.
using Exchange = std::vector<std::pair<char, std::string>>;

std::vector<std::string> faults_of(const Exchange& exchange) {
  Conformance judge;
  judge.begin();
  for (const auto& [who, bytes] : exchange) {
    if (who == 'c') {
      judge.client_sent(bytes);
    } else if (who == 'b') {
      judge.broker_sent(bytes);
    } else {
      judge.begin();
    }
  }
  return judge.faults();
}

TEST(Conformance, AnHonestClientHasNoFaults) {
  EXPECT_EQ(faults_of({{'c', connect},
                       {'b', connack},
                       {'c', "\x32\6\0\1t\0\1x"s},
                       {'b', "\x40\2\0\1"s},
                       {'c', "\x32\6\0\1t\0\1y"s},
                       {'b', "\x40\2\0\1"s},
                       {'c', "\x34\6\0\1t\0\2x"s},
                       {'b', "\x50\2\0\2"s},
                       {'c', "\x62\2\0\2"s},
                       {'b', "\x70\2\0\2"s},
                       {'c', "\x82\6\0\3\0\1t\0"s},
                       {'b', "\x90\3\0\3\0"s},
                       {'b', "\x32\6\0\1t\0\1x"s},
                       {'c', "\x40\2\0\1"s},
                       {'c', "\xC0\0"s},
                       {'c', "\xE0\0"s}}),
            std::vector<std::string>{});
}

TEST(Conformance, ASessionThatIsKeptGoesOn) {
  EXPECT_EQ(faults_of({{'c', kept},
                       {'b', connack},
                       {'c', "\x34\6\0\1t\0\1x"s},
                       {'c', "\x34\6\0\1t\0\2x"s},
                       {'b', "\x50\2\0\1"s},
                       {'n', ""},
                       {'c', kept},
                       {'b', present},
                       {'c', "\x62\2\0\1"s},
                       {'c', "\x3C\6\0\1t\0\2x"s}}),
            std::vector<std::string>{});
}

TEST(Conformance, EachRuleFindsTheOneWhoBreaksIt) {
  const std::tuple<Exchange, std::string> table[] = {
      {{{'c', "\xC0\0"s}}, "the first packet is PINGREQ and not CONNECT"},
      {{{'c', connect}, {'c', connect}}, "a second CONNECT"},
      {{{'c', connect}, {'c', "\xE0\0"s}, {'c', "\xC0\0"s}}, "PINGREQ after DISCONNECT"},
      {{{'c', connect}, {'c', "\x32\6\0\1t\0\0x"s}}, "its packet id is 0"},
      {{{'c', connect}, {'c', "\x32\6\0\1t\0\1x"s}, {'c', "\x32\6\0\1t\0\1x"s}}, "packet id 1 is used again"},
      {{{'c', connect}, {'c', "\x32\6\0\1t\0\1x"s}, {'c', "\x3A\6\0\1u\0\1x"s}}, "packet id 1 is used again"},
      {{{'c', connect}, {'c', "\x3A\6\0\1t\0\1x"s}}, "DUP on the first sending"},
      {{{'c', connect}, {'c', "\x38\4\0\1tx"s}}, "a duplicate with QoS 0"},
      {{{'c', connect}, {'c', "\x34\6\0\1t\0\1x"s}, {'c', "\x62\2\0\1"s}}, "PUBREL of packet id 1 without a PUBREC"},
      {{{'c', connect}, {'c', "\x34\6\0\1t\0\1x"s}, {'b', "\x50\2\0\1"s}, {'c', "\x60\2\0\1"s}},
       "PUBREL: the flags in its first byte"},
      {{{'c', connect}, {'c', "\x40\2\0\1"s}}, "PUBACK of packet id 1, which was not sent"},
      {{{'c', connect}, {'b', "\x32\6\0\1t\0\1x"s}, {'c', "\x50\2\0\1"s}}, "PUBREC of packet id 1, which was not sent"},
      {{{'c', connect}, {'c', "\x80\6\0\1\0\1t\0"s}}, "SUBSCRIBE: the flags in its first byte"},
      {{{'c', connect}, {'c', "\x82\2\0\1"s}}, "SUBSCRIBE without a topic filter"},
      {{{'c', connect}, {'c', "\x82\7\0\1\0\2t#\0"s}}, "is no topic filter"},
      {{{'c', connect}, {'c', "\x32\6\0\1t\0\1x"s}, {'c', "\x82\6\0\1\0\1t\0"s}},
       "the packet id 1 of SUBSCRIBE is not free"},
      {{{'c', connect}, {'c', "\x30\4\0\1+x"s}}, "\"+\" is no topic name"},
      {{{'c', connect}, {'c', "\x30\3\0\0x"s}}, "a message without a topic"},
      {{{'c', connect}, {'c', "\x30\5\0\7t"s}}, "PUBLISH: it ends inside of the topic"},
      {{{'c', connect_v5}, {'b', "\x20\6\0\0\3\x21\0\1"s}, {'c', "\x32\7\0\1t\0\1\0x"s}, {'c', "\x32\7\0\1t\0\2\0x"s}},
       "more than 1 messages without an acknowledgement"},
      {{{'c', connect_v5}, {'b', "\x20\5\0\0\2\x24\0"s}, {'c', "\x32\7\0\1t\0\1\0x"s}},
       "a QoS that the broker does not take"},
      {{{'c', connect_v5}, {'b', "\x20\5\0\0\2\x25\0"s}, {'c', "\x31\5\0\1t\0x"s}}, "a retained message"},
      {{{'c', connect_v5}, {'b', "\x20\x08\0\0\5\x27\0\0\0\6"s}, {'c', "\x30\5\0\1t\0x"s}},
       "more than the broker takes"},
      {{{'c', connect_v5}, {'b', "\x20\6\0\0\3\x22\0\1"s}, {'c', "\x30\7\0\0\3\x23\0\1x"s}}, "whose alias was not set"},
      {{{'c', connect_v5}, {'b', "\x20\6\0\0\3\x22\0\1"s}, {'c', "\x30\x08\0\1t\3\x23\0\2x"s}},
       "topic alias 2 is more"},
      {{{'c', kept},
        {'b', connack},
        {'c', "\x32\6\0\1t\0\1x"s},
        {'n', ""},
        {'c', kept},
        {'b', present},
        {'c', "\x32\6\0\1t\0\1x"s}},
       "packet id 1 is used again"},
  };
  for (const auto& [exchange, words] : table) {
    const auto faults = faults_of(exchange);
    ASSERT_EQ(faults.size(), 1U) << words << (faults.empty() ? "" : ": " + faults.back());
    EXPECT_NE(faults.front().find(words), std::string::npos) << words << "\n" << faults.front();
  }
}

}  // namespace
}  // namespace sistem::test
