#include "common/mqtt/property.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "common/mqtt/reason.hpp"
#include "common/options/settings.hpp"

namespace sistem {
namespace {

using Words = std::vector<std::string>;
using enum PropertyPlace;

std::string complaint(const Words& words) {
  try {
    (void)placed_property(words);
  } catch (const Expected& expected) {
    return expected.what();
  }
  return "";
}

void expect_begin(const std::string& text, const std::string& start) { EXPECT_EQ(text.substr(0, start.size()), start); }

/// What OASIS MQTT 5.0 lists in table 2-4 for packets that a client sends, and a value that each property takes.
struct Row {
  int identifier;
  std::string name;
  std::string value;
  std::set<std::string> packets;
};

const std::vector<Row> specification{
    {1, "payload-format-indicator", "1", {"publish", "will"}},
    {2, "message-expiry-interval", "2147483647", {"publish", "will"}},
    {3, "content-type", "text/plain", {"publish", "will"}},
    {8, "response-topic", "answers/here", {"publish", "will"}},
    {9, "correlation-data", "\xFF\x01", {"publish", "will"}},
    {11, "subscription-identifier", "268435455", {"subscribe"}},
    {17, "session-expiry-interval", "2147483647", {"connect", "disconnect"}},
    {18, "assigned-client-identifier", "x", {}},
    {19, "server-keep-alive", "1", {}},
    {21, "authentication-method", "SCRAM-SHA-1", {"connect"}},
    {22, "authentication-data", "\xFF", {"connect"}},
    {23, "request-problem-information", "0", {"connect"}},
    {24, "will-delay-interval", "0", {"will"}},
    {25, "request-response-information", "1", {"connect"}},
    {26, "response-information", "x", {}},
    {28, "server-reference", "x", {}},
    {31, "reason-string", "that is all", {"disconnect"}},
    {33, "receive-maximum", "65535", {"connect"}},
    {34, "topic-alias-maximum", "0", {"connect"}},
    {35, "topic-alias", "65535", {"publish"}},
    {36, "maximum-qos", "1", {}},
    {37, "retain-available", "1", {}},
    {39, "maximum-packet-size", "2147483647", {"connect"}},
    {40, "wildcard-subscription-available", "1", {}},
    {41, "subscription-identifier-available", "1", {}},
    {42, "shared-subscription-available", "1", {}},
};

const std::map<std::string, PropertyPlace> packets{{"connect", connect},       {"publish", publish},
                                                   {"subscribe", subscribe},   {"unsubscribe", unsubscribe},
                                                   {"disconnect", disconnect}, {"will", will}};

TEST(Property, EachIsTakenByThePacketsThatMayCarryItAndByNoOther) {
  for (const Row& row : specification) {
    for (const auto& [packet, place] : packets) {
      const Words words{packet, row.name, row.value};
      if (!row.packets.contains(packet)) {
        EXPECT_NE(complaint(words), "") << packet << " " << row.name;
        continue;
      }
      const PlacedProperty placed = placed_property(words);
      EXPECT_EQ(placed.place, place);
      EXPECT_EQ(placed.property.identifier, row.identifier);
      EXPECT_EQ(placed_property(words_of(placed)), placed);
    }
    EXPECT_EQ(property_name(static_cast<std::uint8_t>(row.identifier)), row.name);
  }
}

TEST(Property, NoIdentifierBesideThoseHasAName) {
  std::set<int> named{38};
  for (const Row& row : specification) {
    named.insert(row.identifier);
  }
  for (int identifier = 0; identifier < 256; ++identifier) {
    EXPECT_EQ(property_name(static_cast<std::uint8_t>(identifier)).empty(), !named.contains(identifier)) << identifier;
  }
}

TEST(Property, AUserPropertyIsANameAndAValueInEveryPacket) {
  for (const auto& [packet, place] : packets) {
    const Words words{packet, "user-property", "unit", "°C"};
    const PlacedProperty expected{place, {38, 0, "°C", "unit"}};
    EXPECT_EQ(placed_property(words), expected);
    EXPECT_EQ(words_of(expected), words);
  }
  EXPECT_EQ(complaint({"publish", "user-property", "unit"}), "expected a name and a value after user-property");
  EXPECT_EQ(placed_property({"will", "user-property", "", ""}).property, (Property{38, 0, "", ""}));
}

TEST(Property, BinaryValuesMayBeWrittenAsHexOrBase64) {
  for (const Words& words :
       {Words{"publish", "correlation-data:hex", "00fF0a"}, Words{"publish", "correlation-data:base64", "AP8K"}}) {
    EXPECT_EQ(placed_property(words), (PlacedProperty{publish, {9, 0, std::string("\0\xFF\n", 3)}}));
  }
  EXPECT_EQ(placed_property({"publish", "correlation-data:base64", "Cgs="}).property.text, "\n\x0B");
  EXPECT_EQ(placed_property({"publish", "correlation-data:base64", ""}).property.text, "");
  EXPECT_EQ(words_of({publish, {9, 0, "\xFF\n"}}), (Words{"publish", "correlation-data:hex", "ff0a"}));
  EXPECT_EQ(words_of({publish, {9, 0, "text"}}), (Words{"publish", "correlation-data", "text"}));
  EXPECT_EQ(complaint({"publish", "correlation-data:hex", "0"}),
            "expected hexadecimal digits, two for each byte after correlation-data:hex");
  for (const char* wrong : {"A", "AAA", "AAAA=", "A===", "AA=A", "A A="}) {
    EXPECT_EQ(complaint({"publish", "correlation-data:base64", wrong}),
              "expected base64, with its padding after correlation-data:base64");
  }
  EXPECT_EQ(complaint({"publish", "content-type:hex", "61"}),
            "expected content-type without :hex: its value is not binary");
}

TEST(Property, WordsMayBeInAnyCase) {
  EXPECT_EQ(placed_property({"PUBLISH", "Content-Type", "A"}), (PlacedProperty{publish, {3, 0, "A"}}));
}

TEST(Property, AnUnknownPacketIsToldWhichThereAre) {
  EXPECT_EQ(complaint({"publsh", "content-type", "a"}),
            "expected connect, publish, subscribe, unsubscribe, disconnect or will");
  EXPECT_NE(complaint({}), "");
  EXPECT_EQ(complaint({"publish"}), "expected the name of a property and its value after publish");
}

TEST(Property, APacketThatWeDoNotSendIsRefusedWithItsReason) {
  const std::string those = "expected connect, publish, subscribe, unsubscribe, disconnect or will; ";
  EXPECT_EQ(complaint({"auth", "user-property", "a", "b"}),
            those + "an authentication by AUTH packets is not supported");
  for (const char* packet : {"puback", "pubrec", "PUBREL", "pubcomp"}) {
    EXPECT_EQ(complaint({packet, "reason-string", "a"}),
              those + "the library that answers messages adds no properties to its answers");
  }
  for (const char* packet : {"connack", "suback", "unsuback"}) {
    EXPECT_EQ(complaint({packet, "reason-string", "a"}), those + "that packet is sent by the broker");
  }
}

TEST(Property, APropertyInTheWrongPacketIsToldWhichItMayCarry) {
  EXPECT_EQ(complaint({"publish", "receive-maximum", "1"}),
            "expected a property that PUBLISH may carry: payload-format-indicator, message-expiry-interval, "
            "content-type, response-topic, correlation-data, topic-alias, user-property");
  EXPECT_EQ(complaint({"unsubscribe", "nonsense", "1"}),
            "expected a property that UNSUBSCRIBE may carry: user-property");
  // A broker says in PUBLISH which subscription a message is for; a client must not [MQTT-3.3.4-6].
  expect_begin(complaint({"publish", "subscription-identifier", "1"}), "expected a property that PUBLISH may carry");
}

TEST(Property, NumbersHaveTheirLimits) {
  const std::tuple<Words, std::string> wrong[] = {
      {{"connect", "receive-maximum", "0"}, "expected a number from 1 to 65535 for receive-maximum"},
      {{"connect", "receive-maximum", "65536"}, "expected a number from 1 to 65535 for receive-maximum"},
      {{"connect", "topic-alias-maximum", "65536"}, "expected a number from 0 to 65535 for topic-alias-maximum"},
      {{"connect", "maximum-packet-size", "0"}, "expected a number from 1 to 2147483647 for maximum-packet-size"},
      {{"connect", "session-expiry-interval", "4294967296"},
       "expected a number from 0 to 2147483647 for session-expiry-interval"},
      {{"connect", "request-problem-information", "2"}, "expected 0 or 1 for request-problem-information"},
      {{"connect", "request-response-information", "-1"}, "expected 0 or 1 for request-response-information"},
      {{"publish", "payload-format-indicator", "yes"}, "expected 0 or 1 for payload-format-indicator"},
      {{"publish", "topic-alias", "0"}, "expected a number from 1 to 65535 for topic-alias"},
      {{"publish", "message-expiry-interval", "1.5"},
       "expected a number from 0 to 2147483647 for message-expiry-interval"},
      {{"subscribe", "subscription-identifier", "0"},
       "expected a number from 1 to 268435455 for subscription-identifier"},
      {{"subscribe", "subscription-identifier", "268435456"},
       "expected a number from 1 to 268435455 for subscription-identifier"},
  };
  for (const auto& [words, expected] : wrong) {
    EXPECT_EQ(complaint(words), expected);
  }
}

TEST(Property, StringsAreUtf8AndBinaryDataIsAnything) {
  EXPECT_EQ(complaint({"publish", "content-type", "\xFF"}),
            "expected UTF-8 without control characters in content-type");
  EXPECT_EQ(complaint({"publish", "user-property", "\xFF", "a"}),
            "expected UTF-8 without control characters in user-property");
  EXPECT_EQ(complaint({"publish", "content-type", std::string(65536, 'x')}),
            "expected at most 65535 bytes in content-type");
  EXPECT_EQ(complaint({"publish", "correlation-data", std::string(65536, 'x')}),
            "expected at most 65535 bytes in correlation-data");
  EXPECT_EQ(placed_property({"publish", "correlation-data", std::string("a\0\xFF", 3)}).property.text,
            std::string("a\0\xFF", 3));
  EXPECT_EQ(complaint({"publish", "response-topic", "a/+"}),
            "expected a topic name without wildcards (+ and # are for subscribing) in response-topic");
  EXPECT_EQ(complaint({"publish", "content-type", "a", "b"}), "expected one value after content-type");
}

TEST(Property, OnlyAUserPropertyMayStandTwiceInAPacket) {
  for (const Row& row : specification) {
    for (const std::string& packet : row.packets) {
      PlacedProperty one = placed_property({packet, row.name, row.value});
      EXPECT_TRUE(fault_of_properties({one, one}).has_value()) << row.name;
    }
  }
  const auto user = placed_property({"publish", "user-property", "a", "b"});
  EXPECT_EQ(fault_of_properties({user, user, user}), std::nullopt);
  const auto in_message = placed_property({"publish", "content-type", "a"});
  const auto in_will = placed_property({"will", "content-type", "a"});
  EXPECT_EQ(fault_of_properties({in_message, in_will}), std::nullopt);
  EXPECT_EQ(fault_of_properties({in_message, in_will, in_message}), "expected content-type only once in PUBLISH");
  EXPECT_EQ(fault_of_properties({in_will, in_will}), "expected content-type only once in a will");
}

TEST(Property, AuthenticationDataNeedsAMethod) {
  const auto data = placed_property({"connect", "authentication-data", "x"});
  const auto method = placed_property({"connect", "authentication-method", "x"});
  EXPECT_EQ(fault_of_properties({data}), "expected authentication-method beside authentication-data");
  EXPECT_EQ(fault_of_properties({data, method}), std::nullopt);
}

TEST(Reason, IsANameAndANumber) {
  EXPECT_EQ(reason_text(0x87), "not authorized (0x87)");
  EXPECT_EQ(reason_text(0x00), "success (0x00)");
  EXPECT_EQ(reason_text(0xA2), "wildcard subscriptions not supported (0xA2)");
  EXPECT_EQ(reason_text(0xC0), "a reason that MQTT 5 does not name (0xC0)");
}

}  // namespace
}  // namespace sistem
