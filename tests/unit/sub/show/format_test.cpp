#include "sub/show/format.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <optional>

#include "common/options/settings.hpp"
#include "tests/support/time_zone.hpp"

namespace sistem {
namespace {

using test::TimeZone;
using namespace std::string_literals;
using Style = Format::Style;

std::string printed(const Format& format, const Message& message) {
  std::string out = "before|";
  EXPECT_FALSE(format.append(message, {}, out));
  EXPECT_TRUE(out.starts_with("before|"));
  return out.substr(7);
}
std::string printed(const std::string& format, const Message& message, bool pretty = false) {
  return printed(Format(format, pretty, End::nothing), message);
}
std::string printed(const std::string& format, const Message& message, const Position& position) {
  std::string out;
  EXPECT_FALSE(Format(format, false, End::nothing).append(message, position, out));
  return out;
}

/// What the format has against the message.
std::string fault(const std::string& format, const Message& message) {
  std::string out = "before|";
  const auto fault = Format(format, false, End::newline).append(message, {}, out);
  EXPECT_EQ(out, "before|") << "something was printed";
  return std::string(fault.value_or("nothing"));
}

/// What is wrong with the format itself.
std::string complaint_about(const std::string& format) {
  try {
    (void)Format(format, false, End::newline);
    return "nothing";
  } catch (const Expected& expected) {
    return expected.what();
  }
}

template <typename Number>
std::string bytes_of(Number number) {
  std::string bytes(sizeof number, '\0');
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

/// 2016-08-10 08:47:38.000012345 UTC
const auto moment = std::chrono::system_clock::time_point(std::chrono::nanoseconds(1470818858000012345));

const Message plain{.topic = "a/b", .payload = "hello", .qos = 1, .packet_id = 7, .arrival = moment};

Message with_payload(const std::string& payload) {
  Message message = plain;
  message.payload = payload;
  return message;
}

const Message rich = [] {
  Message message = plain;
  message.properties = {{38, 0, "1", "k"}, {3, 0, "text/plain"}, {9, 0, "c\0d"s},   {8, 0, "r/t"},
                        {1, 1, ""},        {2, 4000000000U, ""}, {38, 0, "2", "m"}, {11, 268435455, ""},
                        {35, 9, ""},       {38, 0, "3", "k"}};
  return message;
}();

TEST(Format, PayloadAloneIsNotShownWhereItIsEmpty) {
  EXPECT_EQ(printed(Format{Style::payload, End::newline}, plain), "hello\n");
  EXPECT_EQ(printed(Format{Style::payload, End::nothing}, plain), "hello");
  EXPECT_EQ(printed(Format{Style::payload, End::newline}, with_payload("")), "");
  EXPECT_EQ(printed(Format{Style::payload, End::newline}, with_payload("\0\xFF\n"s)), "\0\xFF\n\n"s);
}

TEST(Format, VerboseShowsTheTopicAndSaysWhatIsEmpty) {
  EXPECT_EQ(printed(Format{Style::verbose, End::newline}, plain), "a/b hello\n");
  EXPECT_EQ(printed(Format{Style::verbose, End::nothing}, plain), "a/b hello");
  EXPECT_EQ(printed(Format{Style::verbose, End::newline}, with_payload("")), "a/b (null)\n");
  EXPECT_EQ(printed(Format{Style::verbose, End::nothing}, with_payload("")), "");
}

TEST(Format, ANewlineFollowsEachMessage) {
  EXPECT_EQ(printed(Format("%p", false, End::newline), plain), "hello\n");
  EXPECT_EQ(printed(Format("%p", false, End::nothing), plain), "hello");
  EXPECT_EQ(printed(Format("", false, End::newline), plain), "\n");
}

TEST(Format, ReplacesWhatItSays) {
  Message retained = plain;
  retained.retain = true;
  retained.qos = 0;
  retained.packet_id = 0;
  const std::pair<std::string, std::string> table[] = {
      {"%t: %p", "a/b: hello"},
      {"%q%r", "10"},
      {"%l bytes, %m", "5 bytes, 7"},
      {"%x", "68656c6c6f"},
      {"%X%%", "68656C6C6F%"},
      {"100%%", "100%"},
      {"%%t", "%t"},
      {"°%t°", "°a/b°"},
      {"%5%", "%"},
      {"me@@home", "me@home"},
  };
  for (const auto& [format, expected] : table) {
    EXPECT_EQ(printed(format, plain), expected) << format;
  }
  EXPECT_EQ(printed("%q%r %m", retained), "01 0");
}

TEST(Format, KnowsMosquittosEscapes) {
  EXPECT_EQ(printed(R"(\\|\0|\a|\e|\n|\r|\t|\v)", plain), "\\|\0|\a|\x1B|\n|\r|\t|\v"s);
}

TEST(Format, WidthAndPrecisionAreThoseOfMosquittoSub) {
  const std::pair<std::string, std::string> table[] = {
      {"%5t|%-5t|%05t", "  a/b|a/b  |  a/b"},
      {"%2t|%.2t|%5.2t|%-5.2t|%.0t", "a/b|a/|   a/|a/   |"},
      {"%4l|%-4l|%04l|%-04l|%.9l", "   5|5   |0005|5   |5"},
      {"%3m|%03m", "  7|007"},
      {"%5q%5r%-3q", "101"},
      {"%7p|%-7p|%07p|%-07p", "  hello|hello  |00hello|hello  "},
      {"%2p|%.2p", "he|hello"},
      {"%-p|", "hello|"},
      {"%4U|", "1470818858.000012345|"},
  };
  for (const auto& [format, expected] : table) {
    EXPECT_EQ(printed(format, plain), expected) << format;
  }
}

TEST(Format, HexadecimalHasWidthsAndGroupsAsInMosquittoSub21) {
  const std::pair<std::string, std::string> table[] = {
      {"%12x|%-12x|%012X", "  68656c6c6f|68656c6c6f  |0068656C6C6F"},
      {"%4x", "68656c6c"},
      {"%.2x", "68 65 6c 6c 6f"},
      {"%.4X", "6865 6C6C 6F"},
      {"%.2:x", "68:65:6c:6c:6f"},
      {"%.3-x", "686-56c-6c6-f"},
      {"%014.2x", "00 00 68 65 6c 6c 6f"},
      {"%-14.2x|", "68 65 6c 6c 6f    |"},
      {"%.0x", "68656c6c6f"},
  };
  for (const auto& [format, expected] : table) {
    EXPECT_EQ(printed(format, plain), expected) << format;
  }
  EXPECT_EQ(printed("%.2x|%4x", with_payload("")), "|    ");
}

TEST(Format, FloatsAreReadFromTheBytesOfThePayload) {
  const Message single = with_payload(bytes_of(21.5F));
  const Message twice = with_payload(bytes_of(-0.125));
  EXPECT_EQ(printed("%f|%.1f|%8.2f|%-8.2f|%08.2f", single), "21.500000|21.5|   21.50|21.50   |00021.50");
  EXPECT_EQ(printed("%d|%.3d|%08.2d", twice), "-0.125000|-0.125|-0000.12");
  EXPECT_EQ(printed("%5f|%-5f|%05f", with_payload(bytes_of(HUGE_VALF))), "  inf|inf  |  inf");
  EXPECT_EQ(fault("%t %f", twice), "its payload has not the 4 bytes of a float");
  EXPECT_EQ(fault("%t %d", single), "its payload has not the 8 bytes of a double");
}

TEST(Format, TimesAreThoseOfArrivalInTheProcesssZone) {
  const TimeZone zone("EST5");
  EXPECT_EQ(printed("%I", plain), "2016-08-10T03:47:38-0500");
  EXPECT_EQ(printed("%26I|%.10I", plain), "  2016-08-10T03:47:38-0500|2016-08-10");
  EXPECT_EQ(printed("%U", plain), "1470818858.000012345");
  EXPECT_EQ(printed("@Y-@m-@dT@H:@M:@S@z", plain), "2016-08-10T03:47:38-0500");
  EXPECT_EQ(printed("@s.@N @% @q", plain), "1470818858.000012345 % %q");
}

TEST(Format, ATimeBeforeTheEpochHasItsNanosecondsToo) {
  const TimeZone zone("UTC0");
  Message message = plain;
  message.arrival = std::chrono::system_clock::time_point(std::chrono::nanoseconds(-1));
  EXPECT_EQ(printed("%I @N", message), "1969-12-31T23:59:59+0000 999999999");
}

TEST(Format, PropertiesArePrinted) {
  EXPECT_EQ(printed("%A|%C|%E|%F|%P|%R|%S", rich), "9|text/plain|4000000000|1|k:1 m:2 k:3|r/t|268435455");
  EXPECT_EQ(printed("%D", rich), "c\0d"s);
  EXPECT_EQ(printed("%3A|%03A|%-3A|%12C|%-12C|%.4C|%05R|%-5.2R|", rich),
            "  9|009|9  |  text/plain|text/plain  |text|  r/t|r/   |");
}

TEST(Format, AbsentPropertiesAreEmpty) { EXPECT_EQ(printed("%A|%C|%D|%E|%F|%P|%R|%S", plain), "|||||||"); }

TEST(Format, PropertiesKeepTheirColumnsPresentOrNot) {
  EXPECT_EQ(printed("%3A|%03A|%4C|%-4E|%2F|%02S", plain), "   |000|    |    |  |00");
  EXPECT_EQ(printed("%4D|%-4P|%04R|", plain), "    |    |    |");
  EXPECT_EQ(printed("%4D|%-13P|%5.1P|", rich), " c\0d|k:1 m:2 k:3  |    k|"s);
}

TEST(Format, AWrongOneIsToldWithThePlaceOfItsFault) {
  const std::string field =
      "expected A, C, D, E, F, I, J, P, R, S, U, X, d, f, j, l, m, p, q, r, t, x, % or {NAME} after the % at "
      "character ";
  const std::string escape = "expected 0, a, e, n, r, t, v or \\ after the \\ at character ";
  const std::string width = "expected a width and a precision of at most 9999 in the sequence at character ";
  const std::pair<std::string, std::string> table[] = {
      {"%z", field + "1"},
      {"%t %z", field + "4"},
      {"°C %", field + "4"},
      {"%t%-05.", field + "3"},
      {"%0-5t", field + "1"},
      {"%:x", field + "1"},
      {"%.2::x", field + "1"},
      {"%.2:", field + "1"},
      {"%t%.2:p", "expected a separator only with x and X in the sequence at character 3"},
      {"%10000t", width + "1"},
      {"%.99999999999999999999999t", width + "1"},
      {"abc@", "expected a letter of strftime, N or @ after the @ at character 4"},
      {"\\q", escape + "1"},
      {"%t\\", escape + "3"},
      {"\\1", escape + "1"},
  };
  for (const auto& [format, complaint] : table) {
    EXPECT_EQ(complaint_about(format), complaint) << format;
  }
}

TEST(FormatNames, StandForWhatIsKnownOfTheMessage) {
  const TimeZone zone("EST5");
  const Position position{42, std::chrono::nanoseconds(1234567890)};
  const std::pair<std::string, std::string> table[] = {
      {"%{n}|%5{n}|%-5{n}|%05{n}|%.9{n}", "42|   42|42   |00042|42"},
      {"%{delta}|%.3{delta}|%.0{delta}|%.{delta}", "1.234568|1.235|1|1"},
      {"%9.2{delta}|%-9.2{delta}|%09.2{delta}", "     1.23|1.23     |000001.23"},
      {"%{base64}|%10{base64}|%-10{base64}|%010{base64}|%.4{base64}", "aGVsbG8=|  aGVsbG8=|aGVsbG8=  |  aGVsbG8=|aGVs"},
      {"%{time}", "2016-08-10T03:47:38.000012345-05:00"},
      {"%.10{time}|%12.10{time}|%-12.10{time}|", "2016-08-10|  2016-08-10|2016-08-10  |"},
      {"%%{n}|{n}|%p{n}", "%{n}|{n}|hello{n}"},
      {"%.4{x}", "6865{6c6c{6f}"},  // as mosquitto_sub 2.1 has it
  };
  for (const auto& [format, expected] : table) {
    EXPECT_EQ(printed(format, plain, position), expected) << format;
  }
  EXPECT_EQ(printed("%{n} %{delta}", plain), "1 0.000000");
}

TEST(FormatNames, TheTimeHasTheZoneAsStandardsWantIt) {
  const std::pair<const char*, std::string> table[] = {
      {"UTC0", "2016-08-10T08:47:38.000012345+00:00"},
      {"IST-5:30", "2016-08-10T14:17:38.000012345+05:30"},
      {"NST3:30", "2016-08-10T05:17:38.000012345-03:30"},
  };
  for (const auto& [name, expected] : table) {
    const TimeZone zone(name);
    EXPECT_EQ(printed("%{time}", plain), expected) << name;
  }
}

/// A message that was sent so long before it arrived.
Message stamped(std::chrono::nanoseconds latency) {
  Message message = plain;
  message.properties = {{38, 0, "17", "stamp-seq"},
                        {38, 0, std::to_string((moment - latency).time_since_epoch().count()), "stamp-time"}};
  return message;
}

TEST(FormatNames, AStampGivesNumberAndLatency) {
  using namespace std::chrono_literals;
  EXPECT_EQ(printed("%{seq}|%5{seq}|%-5{seq}|%05{seq}", stamped(0s)), "17|   17|17   |00017");
  const std::pair<std::chrono::nanoseconds, std::string> table[] = {
      {1500ms, "1.500000|1.500|     1.5|1.50    |00001.50"},
      {0s, "0.000000|0.000|     0.0|0.00    |00000.00"},
      {-250ms, "-0.250000|-0.250|    -0.2|-0.25   |-0000.25"},  // clocks differ
      {1h, "3600.000000|3600.000|  3600.0|3600.00 |03600.00"},
  };
  for (const auto& [latency, expected] : table) {
    EXPECT_EQ(printed("%{latency}|%.3{latency}|%8.1{latency}|%-8.2{latency}|%08.2{latency}", stamped(latency)),
              expected);
  }
}

TEST(FormatNames, WhatHasNoStampKeepsTheColumns) {
  const std::string format = "%{seq}|%4{seq}|%-4{seq}|%04{seq}|%{latency}|%9.3{latency}|%-9{latency}|%03{latency}|";
  Message half = plain;
  half.properties = {{38, 0, "17", "stamp-seq"}};
  for (const Message& message : {plain, rich, half}) {
    EXPECT_EQ(printed(format, message), "|    |    |0000||         |         |000|");
  }
}

TEST(FormatNames, AJsonFieldIsTextWithoutQuotationMarksAndAllElseAsItIsSpelled) {
  const Message message = with_payload(
      R"( {"s":"a b","e":"","u":"\u00b0\"\n\/","n":27.0,"big":12345678901234567890123,"t":true,"f":false,"z":null,)"
      R"("o":{ "k" : [ 1 , 2 ], "":0 },"a":[10, {"b":"c"}, [ ], "x"],"0":"zero","b c":1,"°":2,"s2":"1","s2":"2"} )");
  const std::pair<std::string, std::string> table[] = {
      {"s", "a b"},
      {".s", "a b"},
      {"e", ""},
      {"u", "°\"\n/"},
      {"n", "27.0"},
      {"big", "12345678901234567890123"},
      {"t", "true"},
      {"f", "false"},
      {"z", "null"},
      {"o", R"({"k":[1,2],"":0})"},
      {"o.k", "[1,2]"},
      {"o.k.1", "2"},
      {"a", R"([10,{"b":"c"},[],"x"])"},
      {"a.0", "10"},
      {"a.1.b", "c"},
      {"a.2", "[]"},
      {"a.3", "x"},
      {"a.4", ""},
      {"a.-1", ""},
      {"a.b", ""},
      {"a.0x", ""},
      {"a.99999999999999999999999", ""},
      {"s.0", ""},
      {"n.0", ""},
      {"nosuch", ""},
      {"S", ""},
      {"0", "zero"},
      {"b c", "1"},
      {"°", "2"},
      {"s2", "2"},
  };
  for (const auto& [path, expected] : table) {
    EXPECT_EQ(printed("%{json:" + path + "}", message), expected) << path;
  }
  EXPECT_EQ(
      printed("%6{json:s}|%-6{json:s}|%06{json:n}|%.1{json:s}|%-6.2{json:s}|%6{json:nosuch}|%06{json:z}|", message),
      "   a b|a b   |  27.0|a|a     |      |  null|");
}

TEST(FormatNames, AllOfAPayloadIsAFieldToo) {
  const std::pair<std::string, std::string> table[] = {
      {R"( [ 1, {"a" : 2.50} ] )", R"([1,{"a":2.50}])"},
      {"\"x\\u00b0\"", "x°"},
      {" 31.0\n", "31.0"},
      {"\xEF\xBB\xBFtrue", "true"},
      {"null", "null"},
      {"", ""},
      {"hello", ""},
      {"{", ""},
      {"1\0"s, ""},
      {"\"\xFF\"", ""},
      {std::string(1001, '[') + std::string(1001, ']'), ""},  // deeper than anything that is laid out
  };
  for (const auto& [payload, expected] : table) {
    EXPECT_EQ(printed("%{json:.}", with_payload(payload)), expected) << payload;
    EXPECT_EQ(printed("%4{json:x}|", with_payload(payload)), "    |") << payload;
  }
}

TEST(FormatNames, AWrongOneIsToldWithThePlaceOfItsFault) {
  const std::string name =
      "expected base64, delta, json:FIELD, latency, n, seq or time in the braces of the sequence at character ";
  const std::string path =
      "expected names and numbers with dots between them, as in sensors.0.value after json: in the sequence at "
      "character ";
  const std::string end = "expected a } after the name in the sequence at character ";
  const std::string letter =
      "expected A, C, D, E, F, I, J, P, R, S, U, X, d, f, j, l, m, p, q, r, t, x, % or {NAME} after the % at "
      "character ";
  const std::pair<std::string, std::string> table[] = {
      {"%{}", name + "1"},
      {"%t %{Seq}", name + "4"},
      {"°%{ n}", name + "2"},
      {"%{json}", name + "1"},
      {"%{JSON:a}", name + "1"},
      {"%{n}%5.2{payload}", name + "5"},
      {"%{json:}", path + "1"},
      {"%{json:a..b}", path + "1"},
      {"%{json:a.}", path + "1"},
      {"%{json:..}", path + "1"},
      {"°C %p%-20{json:.a.}", path + "6"},
      {"%{seq", end + "1"},
      {"%{n}%{", end + "5"},
      {"%.2{", end + "1"},
      {"%p %{json:a.b", end + "4"},
      {"%10000{n}", "expected a width and a precision of at most 9999 in the sequence at character 1"},
      {"%:{n}", letter + "1"},
      {"%.2:{n}", letter + "1"},
  };
  for (const auto& [format, complaint] : table) {
    EXPECT_EQ(complaint_about(format), complaint) << format;
  }
}

TEST(FormatJson, HasMosquittosKeysInItsOrder) {
  const TimeZone zone("CET-1");
  EXPECT_EQ(printed("%j", plain),
            R"({"tst":"2016-08-10T09:47:38.000012+0100","topic":"a/b","qos":1,"retain":0,"payloadlen":5,"mid":7,)"
            R"("payload":"hello"})");
  Message message = plain;
  message.qos = 0;
  message.retain = true;
  EXPECT_EQ(printed("[%j]", message), R"([{"tst":"2016-08-10T09:47:38.000012+0100","topic":"a/b","qos":0,"retain":1,)"
                                      R"("payloadlen":5,"payload":"hello"}])");
}

/// The end of a message's JSON, from its length on.
std::string tail(const std::string& format, const std::string& payload) {
  Message message = with_payload(payload);
  message.qos = 0;
  const std::string json = printed(format, message);
  return json.substr(json.find(R"("payloadlen)"));
}

TEST(FormatJson, QuotesWhatIsText) {
  EXPECT_EQ(tail("%j", ""), R"("payloadlen":0,"payload":null})");
  EXPECT_EQ(tail("%j", "28 °C"), R"("payloadlen":6,"payload":"28 °C"})");
  EXPECT_EQ(tail("%j", "\"\\/\b\f\n\r\t\x01\x7F"), R"("payloadlen":10,"payload":"\"\\/\b\f\n\r\t\u0001)"
                                                   "\x7F\"}");
}

TEST(FormatJson, GivesOtherBytesAsBase64) {
  EXPECT_EQ(tail("%j", "a\0b"s), R"("payloadlen":3,"payload_base64":"YQBi"})");
  EXPECT_EQ(tail("%j", "\xFF"), R"("payloadlen":1,"payload_base64":"/w=="})");
}

TEST(FormatJson, EmbedsAPayloadThatIsJsonWithoutItsSpaces) {
  EXPECT_EQ(tail("%J", ""), R"("payloadlen":0,"payload":null})");
  EXPECT_EQ(tail("%J", " { \"a\" : [ 1 , \"b \\\" c\" ] }\n"), R"("payloadlen":28,"payload":{"a":[1,"b \" c"]}})");
  EXPECT_EQ(tail("%J", "\xEF\xBB\xBFtrue"), R"("payloadlen":7,"payload":true})");
}

TEST(FormatJson, KeepsTheSpellingOfWhatItEmbeds) {
  const std::string payload = R"({"t":27.0,"n":12345678901234567890123,"e":1e3,"s":"\u00b0\/","s":2})";
  EXPECT_EQ(tail("%J", payload), R"("payloadlen":67,"payload":)" + payload + "}");
}

TEST(FormatJson, APayloadThatIsNoJsonIsNotPrinted) {
  const std::string deep = std::string(1001, '[') + std::string(1001, ']');
  for (const auto& payload : {"hello"s, "{"s, "1 2"s, "{\"a\":1,}"s, "\"\xFF\""s, "1\0"s, "nan"s, "'a'"s, deep}) {
    EXPECT_EQ(fault("%t %J", with_payload(payload)), "its payload is no JSON") << payload;
  }
  EXPECT_NE(printed("%J", with_payload(deep.substr(2, 1998))), "");
}

TEST(FormatJson, ShowsPropertiesAsMosquittoSubDoes) {
  const std::string json = printed("%j", rich);
  EXPECT_EQ(json.substr(json.find("\"mid")),
            R"("mid":7,"properties":{"user-properties":{"k":"1","m":"2","k":"3"},"content-type":"text/plain",)"
            R"("correlation-data_base64":"YwBk","response-topic":"r/t","payload-format-indicator":1,)"
            R"("message-expiry-interval":4000000000,"subscription-identifier":268435455,"topic-alias":9},)"
            R"("payload":"hello"})");
}

TEST(FormatJson, IsJsonWhateverTheBrokerLetsPass) {
  Message message = plain;
  message.topic = "a\xFF";
  EXPECT_NE(printed("%j", message).find("\"topic\":\"a\xEF\xBF\xBD\""), std::string::npos);
}

TEST(FormatJson, PrettyIsMosquittosLayout) {
  const TimeZone zone("UTC0");
  Message message = with_payload(R"([1,{"a":"x, {y}","e":{},"n":[]},null])");
  message.qos = 0;
  message.properties = {{38, 0, "v", "k"}};
  EXPECT_EQ(printed("%J", message, true),
            "{\n\t\"tst\":\t\"2016-08-10T08:47:38.000012+0000\",\n\t\"topic\":\t\"a/b\",\n\t\"qos\":\t0,\n"
            "\t\"retain\":\t0,\n\t\"payloadlen\":\t37,\n\t\"properties\":\t{\n\t\t\"user-properties\":\t{\n"
            "\t\t\t\"k\":\t\"v\"\n\t\t}\n\t},\n\t\"payload\":\t[1, {\n\t\t\t\"a\":\t\"x, {y}\",\n\t\t\t\"e\":\t{\n"
            "\t\t\t},\n\t\t\t\"n\":\t[]\n\t\t}, null]\n}");
}

TEST(FormatOnATerminal, SpellsOutWhatMessagesBringAndNotWhatTheUserWrote) {
  Message message = with_payload("a\n\tb\x1b[2J\x9B");
  message.topic = "t\x07";
  message.properties = {{3, 0, "c\x1b"}};
  const auto on_a_terminal = [&](const std::string& text) {
    Format format(text, false, End::nothing);
    format.spell_out_controls();
    return printed(format, message);
  };
  EXPECT_EQ(on_a_terminal(R"(\e[1m%t\e[0m %p)"), "\x1b[1mt\\x07\x1b[0m a\\n\\tb\\x1b[2J\\x9b");
  EXPECT_EQ(on_a_terminal("%C"), "c\\x1b");
  EXPECT_EQ(on_a_terminal("%8t|"), "   t\\x07|");  // in columns, not in bytes that nobody sees
  EXPECT_EQ(on_a_terminal("%2.2x"), "61 0a");
  EXPECT_EQ(on_a_terminal("%l"), "9");
}

TEST(FormatOnATerminal, AFieldOfJsonIsSpelledOutWhereItIsText) {
  const Message message = with_payload(R"({"s":"\u001b[2J\u0000\tx\n","o":{"e":"\u001b"}})");
  EXPECT_EQ(printed("%{json:s}|%{json:o}", message), "\x1B[2J\0\tx\n|{\"e\":\"\\u001b\"}"s);
  Format format("%14{json:s}|%.1{json:s}|%{json:o}", false, End::nothing);
  format.spell_out_controls();
  EXPECT_EQ(printed(format, message), "\\x1b[2J\\x00\\tx\\n|\\x1b|{\"e\":\"\\u001b\"}");
}

TEST(FormatOnATerminal, JsonStaysJson) {
  Format format("%J", false, End::nothing);
  format.spell_out_controls();
  const std::string out = printed(format, with_payload("[\"\x7F\xC2\x9B\"]"));
  EXPECT_TRUE(out.ends_with(R"("payload":["\u007f\u009b"]})")) << out;
}

}  // namespace
}  // namespace sistem
