#include "common/mqtt/record.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

#include "common/text/encoding.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

std::string line_of(const Message& message) {
  std::string out = "before|";
  append_record(message, out);
  EXPECT_TRUE(out.starts_with("before|"));
  return out.substr(7);
}

/// 2016-08-10 08:47:38.000012345 UTC
const auto moment = std::chrono::system_clock::time_point(1470818858000012345ns);

TEST(Record, HasItsKeysInOrder) {
  const Message message{.topic = "a/b",
                        .payload = "28 °C",
                        .qos = 1,
                        .retain = true,
                        .properties = {{38, 0, "1", "k"},
                                       {3, 0, "text/plain"},
                                       {9, 0, "c\0d"s},
                                       {11, 7, ""},
                                       {8, 0, "r/t"},
                                       {38, 0, "2", "k"},
                                       {1, 1, ""},
                                       {2, 4000000000U, ""},
                                       {11, 268435455, ""},
                                       {35, 9, ""}},
                        .packet_id = 7,
                        .arrival = moment,
                        .arrival_steady = std::chrono::steady_clock::time_point(42ns),
                        .dup = true};
  EXPECT_EQ(line_of(message),
            R"({"topic":"a/b","payload":"28 °C","qos":1,"retain":true,"dup":true,"mid":7,)"
            R"("arrival":"2016-08-10T08:47:38.000012345Z","monotonic_ns":42,)"
            R"("properties":{"user-property":[["k","1"],["k","2"]],"content-type":"text/plain",)"
            R"("correlation-data_base64":"YwBk","subscription-identifier":[7,268435455],"response-topic":"r/t",)"
            R"("payload-format-indicator":1,"message-expiry-interval":4000000000,"topic-alias":9}})");
}

TEST(Record, LeavesOutWhatAMessageHasNot) {
  EXPECT_EQ(line_of({.topic = "a"}), R"({"topic":"a","payload":"","qos":0,"retain":false})");
}

TEST(Record, ATextIsEscapedWhereJsonWantsIt) {
  EXPECT_EQ(line_of({.topic = "a", .payload = "\"\\/\b\f\n\r\t\x01\x7F x"}),
            R"({"topic":"a","payload":"\"\\/\b\f\n\r\t\u0001)"
            "\x7F x\",\"qos\":0,\"retain\":false}");
}

TEST(Record, OtherBytesAreBase64) {
  for (const auto& bytes : {"a\0b"s, "\xFF"s, "\xED\xA0\x80"s}) {
    EXPECT_EQ(line_of({.topic = "a", .payload = bytes}),
              R"({"topic":"a","payload_base64":")" + base64(bytes) + R"(","qos":0,"retain":false})");
  }
}

TEST(Record, ATimeBeforeTheEpochIsOneToo) {
  EXPECT_NE(line_of({.topic = "a", .arrival = std::chrono::system_clock::time_point(-1ns)})
                .find(R"("arrival":"1969-12-31T23:59:59.999999999Z")"),
            std::string::npos);
}

TEST(Record, IsJsonWhateverTheBrokerLetsPass) {
  const Message message{.topic = "a\xFF\x01", .properties = {{3, 0, "\xC0\x80"}, {38, 0, "\xFE", "\xFD\0"s}, {17, 5}}};
  const auto json = nlohmann::json::parse(line_of(message));
  EXPECT_EQ(json["topic"], "a\xEF\xBF\xBD\x01");
  EXPECT_EQ(json["properties"]["user-property"][0][0], "\xEF\xBF\xBD\0"s);
  EXPECT_EQ(json["properties"].size(), 2U);  // 17 is no property of PUBLISH
}

/// Draws messages, so that the tests see more than their author thought of.
class Drawn {
 public:
  explicit Drawn(unsigned seed) : random_(seed) {}

  Message message() {
    Message drawn{.topic = text(1, 20, false), .payload = bytes(), .qos = below(3), .retain = below(2) == 1};
    std::erase_if(drawn.topic, [](char c) { return c == '+' || c == '#'; });
    drawn.topic += "t";
    drawn.packet_id = static_cast<std::uint16_t>(drawn.qos > 0 ? 1 + below(65535) : 0);
    drawn.dup = drawn.qos > 0 && below(2) == 1;
    if (below(4) > 0) {
      drawn.arrival = std::chrono::system_clock::time_point(std::chrono::nanoseconds(
          std::uniform_int_distribution<std::int64_t>{-4'000'000'000'000'000'000, 4'000'000'000'000'000'000}(random_)));
      drawn.arrival_steady = std::chrono::steady_clock::time_point(
          std::chrono::nanoseconds(std::uniform_int_distribution<std::int64_t>{1, INT64_MAX}(random_)));
    }
    drawn.properties = properties();
    return drawn;
  }

 private:
  int below(int limit) { return std::uniform_int_distribution{0, limit - 1}(random_); }

  /// UTF-8, of a mixture of lengths; with control characters or without.
  std::string text(int least, int most, bool with_controls) {
    static const std::vector<std::string> letters{
        "a", "\"", "\\", "/", "°", "\xEF\xBF\xBD", "\xF0\x9F\x98\x80", "\xE2\x80\xA8", " ", "temp"};
    std::string drawn;
    for (int left = least + below(most - least + 1); left > 0; --left) {
      drawn += with_controls && below(5) == 0
                   ? std::string(1, static_cast<char>(1 + below(31)))
                   : letters[static_cast<std::size_t>(below(static_cast<int>(letters.size())))];
    }
    return drawn;
  }

  std::string bytes() {
    if (below(2) == 0) {
      return text(0, 40, true);
    }
    std::string drawn(static_cast<std::size_t>(below(40)), '\0');
    std::generate(drawn.begin(), drawn.end(), [&] { return static_cast<char>(below(256)); });
    return drawn;
  }

  /// Each at most once but for user properties, which stand together, as they do when they have been read.
  std::vector<Property> properties() {
    std::vector<std::vector<Property>> groups{
        {{1, static_cast<std::uint32_t>(below(2)), {}}},
        {{2, std::uniform_int_distribution<std::uint32_t>{}(random_), {}}},
        {{3, 0, text(0, 20, false)}},
        {{8, 0, "reply/" + std::to_string(below(1000))}},
        {{9, 0, bytes()}},
        {},
    };
    for (int left = below(4); left > 0; --left) {
      groups.back().push_back({38, 0, text(0, 20, false), text(0, 20, false)});
    }
    std::shuffle(groups.begin(), groups.end(), random_);
    std::vector<Property> drawn;
    for (const auto& group : groups) {
      if (below(2) == 0) {
        drawn.insert(drawn.end(), group.begin(), group.end());
      }
    }
    return drawn;
  }

  std::mt19937 random_;
};

TEST(Record, WhatWasWrittenIsReadBackByteForByte) {
  Drawn drawn{20261125};
  for (int round = 0; round < 1000; ++round) {
    const Message message = drawn.message();
    const std::string line = line_of(message);
    ASSERT_EQ(line.find('\n'), std::string::npos);
    const Message again = read_record(line).message;
    ASSERT_EQ(again.topic, message.topic) << line;
    ASSERT_EQ(again.payload, message.payload) << line;
    ASSERT_EQ(again.qos, message.qos) << line;
    ASSERT_EQ(again.retain, message.retain) << line;
    ASSERT_EQ(again.dup, message.dup) << line;
    ASSERT_EQ(again.packet_id, message.packet_id) << line;
    ASSERT_EQ(again.arrival, message.arrival) << line;
    ASSERT_EQ(again.arrival_steady, message.arrival_steady) << line;
    ASSERT_TRUE(again.properties == message.properties) << line;
    ASSERT_EQ(line_of(again), line);
  }
}

TEST(Record, ABigBinaryPayloadComesBack) {
  std::string payload(1024 * 1024, '\0');
  std::mt19937 random{1};
  std::generate(payload.begin(), payload.end(), [&] { return static_cast<char>(random() & 0xFFU); });
  EXPECT_EQ(read_record(line_of({.topic = "a", .payload = payload})).message.payload, payload);
}

TEST(RecordRead, NeedsNothingButATopic) {
  const Record record = read_record(R"( {"topic": "a/b"} )");
  EXPECT_EQ(record.message.topic, "a/b");
  EXPECT_EQ(record.message.payload, "");
  EXPECT_EQ(record.message.qos, 0);
  EXPECT_FALSE(record.message.retain);
  EXPECT_FALSE(record.delay);
  EXPECT_EQ(record.message.arrival, std::chrono::system_clock::time_point{});
}

TEST(RecordRead, TakesADelayAndAnyOrder) {
  const Record record = read_record(R"({"delay": 0.25, "qos": 2, "payload": "\u00b0 \u0000", "topic": "a"})");
  ASSERT_TRUE(record.delay);
  EXPECT_EQ(*record.delay, 250ms);
  EXPECT_EQ(record.message.payload, "° \0"s);
  EXPECT_EQ(record.message.qos, 2);
}

TEST(RecordRead, TakesTimesWithFewerDigits) {
  const auto read = [](const std::string& time) {
    return read_record(R"({"topic":"a","arrival":")" + time + "\"}").message.arrival;
  };
  EXPECT_EQ(read("2016-08-10T08:47:38Z"), std::chrono::floor<std::chrono::seconds>(moment));
  EXPECT_EQ(read("2016-08-10T08:47:38.000012345Z"), moment);
  EXPECT_EQ(read("2016-08-10T08:47:38.5Z"), std::chrono::floor<std::chrono::seconds>(moment) + 500ms);
}

TEST(RecordRead, LeavesOutWhatMeansNothingOnAnotherConnection) {
  const Record record =
      read_record(R"({"topic":"a","properties":{"subscription-identifier":[1],"topic-alias":3,"content-type":"x"}})");
  ASSERT_EQ(record.message.properties.size(), 1U);
  EXPECT_EQ(record.message.properties[0].text, "x");
}

TEST(RecordRead, ABinaryPropertyMayBeText) {
  const Record record = read_record(R"({"topic":"a","properties":{"correlation-data":"id 1"}})");
  ASSERT_EQ(record.message.properties.size(), 1U);
  EXPECT_EQ(record.message.properties[0], (Property{9, 0, "id 1"}));
}

TEST(RecordRead, SaysWhichKeyIsWrong) {
  const std::string no_object = "expected a JSON object in one line";
  const std::string time = "arrival: expected a time in UTC as 2026-11-25T09:36:56.123456789Z, got ";
  const std::string pairs = R"(properties: user-property: expected an array of pairs, [["name", "value"]], got )";
  const std::pair<std::string, std::string> table[] = {
      {"", no_object},
      {"{", no_object},
      {"[]", no_object},
      {"{\"topic\":\"a\"} x", no_object},
      {"{\"topic\":\"a\xFF\"}", no_object},
      {"{\"topic\":\"a\"}\0"s, no_object},
      {R"({"topic":"\ud800"})", no_object},
      {"{}", "topic: expected a topic name"},
      {R"({"topic":5})", "topic: expected a string, got 5"},
      {R"({"topic":""})", R"(topic: expected at least one character, got "")"},
      {R"({"topic":"a","payload":5})", "payload: expected a string (payload_base64 for bytes that are no text), got 5"},
      {R"({"topic":"a","payload":"x","payload_base64":"eA=="})",
       "payload: expected payload or payload_base64, not both"},
      {R"({"topic":"a","payload_base64":"x"})", R"(payload_base64: expected base64, with its padding, got "x")"},
      {R"({"topic":"a","qos":3})", "qos: expected 0, 1 or 2, got 3"},
      {R"({"topic":"a","qos":-1})", "qos: expected 0, 1 or 2, got -1"},
      {R"({"topic":"a","qos":"1"})", R"(qos: expected 0, 1 or 2, got "1")"},
      {R"({"topic":"a","qos":1.0})", "qos: expected 0, 1 or 2, got 1.0"},
      {R"({"topic":"a","retain":1})", "retain: expected true or false, got 1"},
      {R"({"topic":"a","dup":null})", "dup: expected true or false, got null"},
      {R"({"topic":"a","mid":65536})", "mid: expected a whole number from 0 to 65535, got 65536"},
      {R"({"topic":"a","arrival":"2016-02-30T08:47:38Z"})", time + R"("2016-02-30T08:47:38Z")"},
      {R"({"topic":"a","arrival":"2016-02-20T08:47:38"})", time + R"("2016-02-20T08:47:38")"},
      {R"({"topic":"a","arrival":"2016-02-20T24:47:38Z"})", time + R"("2016-02-20T24:47:38Z")"},
      {R"({"topic":"a","arrival":"2016-02-20T08:47:38.Z"})", time + R"("2016-02-20T08:47:38.Z")"},
      {R"({"topic":"a","arrival":"9999-02-20T08:47:38Z"})", time + R"("9999-02-20T08:47:38Z")"},
      {R"({"topic":"a","monotonic_ns":-1})",
       "monotonic_ns: expected a whole number from 0 to 9223372036854775807, got -1"},
      {R"({"topic":"a","delay":-0.1})", "delay: expected seconds, 0 or more, got -0.1"},
      {R"({"topic":"a","delay":"1"})", R"(delay: expected seconds, 0 or more, got "1")"},
      {R"({"topic":"a","qos":1,"qos":2})", "qos: expected only once"},
      {R"({"topic":"a","retained":true})",
       "retained: expected no such key; there are topic, payload, payload_base64, qos, retain, delay, properties, dup, "
       "mid, arrival, monotonic_ns"},
      {R"({"topic":"a","properties":[]})", "properties: expected an object, got []"},
      {R"({"topic":"a","properties":{"will-delay-interval":1}})",
       "properties: expected no key will-delay-interval; there are payload-format-indicator, message-expiry-interval, "
       "content-type, response-topic, correlation-data, subscription-identifier, topic-alias, user-property"},
      {R"({"topic":"a","properties":{"content-type":5}})", "properties: content-type: expected a string, got 5"},
      {R"({"topic":"a","properties":{"content-type":"a\n"}})",
       "properties: expected UTF-8 without control characters in content-type"},
      {R"({"topic":"a","properties":{"content-type_base64":"eA=="}})",
       "properties: expected no key content-type_base64; there are payload-format-indicator, message-expiry-interval, "
       "content-type, response-topic, correlation-data, subscription-identifier, topic-alias, user-property"},
      {R"({"topic":"a","properties":{"correlation-data":"a","correlation-data_base64":"eA=="}})",
       "properties: expected correlation-data or correlation-data_base64, not both"},
      {R"({"topic":"a","properties":{"payload-format-indicator":2}})",
       "properties: expected 0 or 1 for payload-format-indicator"},
      {R"({"topic":"a","properties":{"message-expiry-interval":"60"}})",
       "properties: message-expiry-interval: expected a whole number from 0 to 4294967295, got \"60\""},
      {R"({"topic":"a","properties":{"subscription-identifier":1}})",
       "properties: subscription-identifier: expected an array of numbers, got 1"},
      {R"({"topic":"a","properties":{"user-property":["k","v"]}})", pairs + R"(["k","v"])"},
      {R"({"topic":"a","properties":{"user-property":{"k":"v"}}})", pairs + R"({"k":"v"})"},
      {R"({"topic":"a","properties":{"user-property":[],"user-property":[]}})", "user-property: expected only once"},
  };
  for (const auto& [line, complaint] : table) {
    try {
      (void)read_record(line);
      ADD_FAILURE() << line << " was taken";
    } catch (const Expected& expected) {
      EXPECT_EQ(expected.what(), complaint) << line;
    }
  }
  EXPECT_THROW((void)read_record(R"({"topic":"a/#"})"), Expected);
}

TEST(RecordRead, WhatIsNestedDeepIsRefusedLikeTheRest) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_THROW((void)read_record(R"({"topic":"a","qos":)" + deep + "}"), Expected);
  EXPECT_THROW((void)read_record(deep), Expected);
}

TEST(ReadRecord, WhatALineLeavesOutIsAsElsewhere) {
  const Message otherwise{"a", "", 1, true};
  const Message message = read_record(R"({"payload":"x"})", otherwise).message;
  EXPECT_EQ(message.topic, "a");
  EXPECT_EQ(message.payload, "x");
  EXPECT_EQ(message.qos, 1);
  EXPECT_TRUE(message.retain);
  const Message said = read_record(R"({"topic":"b","qos":0,"retain":false})", otherwise).message;
  EXPECT_EQ(said.topic, "b");
  EXPECT_EQ(said.qos, 0);
  EXPECT_FALSE(said.retain);
}

}  // namespace
}  // namespace sistem
