// Every form of a message with every kind of payload: the bytes, and that they can be read back.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>

#include "common/mqtt/record.hpp"
#include "sub/show/format.hpp"
#include "tests/support/time_zone.hpp"

namespace sistem {
namespace {

using namespace std::string_literals;
using Style = Format::Style;

const std::string document = R"({ "t": 27.0, "s": "a\"b" })";

/// In the order of the columns of the table below.
const std::pair<const char*, std::string> payload_kinds[] = {
    {"text", "28 °C"},        {"empty", ""},      {"NUL", "a\0b"s},
    {"no UTF-8", "\xFF\xC3"}, {"JSON", document}, {"controls", "\t\x1B[1m\r\n\x7F"},
};

Message formed(const std::string& payload) {
  return {.topic = "a/b",
          .payload = payload,
          .qos = 1,
          .retain = true,
          .packet_id = 7,
          .arrival = std::chrono::system_clock::time_point(std::chrono::nanoseconds(1470818858000012345)),
          .arrival_steady = std::chrono::steady_clock::time_point(std::chrono::nanoseconds(42))};
}

/// A form, and what it makes of each kind of payload, without the end; nothing where not even the end is printed, for
/// which `fault` is the reason.
struct FormRow {
  std::string name;
  std::function<Format(End)> form;
  std::vector<End> ends;
  std::vector<std::optional<std::string>> bodies;
  std::optional<std::string_view> fault = {};
};

std::string byte_of(End end) { return end == End::newline ? "\n"s : end == End::nul ? "\0"s : ""s; }

std::function<Format(End)> by_format(const std::string& format) {
  return [format](End end) { return Format(format, false, end); };
}

std::function<Format(End)> by_style(Style style) {
  return [style](End end) { return Format{style, end}; };
}

/// The line that stands in --json, with `payload` as its key and value.
std::string recorded_line(const std::string& payload) {
  return R"({"topic":"a/b",)" + payload +
         R"(,"qos":1,"retain":true,"mid":7,"arrival":"2016-08-10T08:47:38.000012345Z","monotonic_ns":42})";
}

/// What %j and %J begin with.
std::string mosquitto_json(const std::string& length, const std::string& payload) {
  return R"({"tst":"2016-08-10T08:47:38.000012+0000","topic":"a/b","qos":1,"retain":1,"payloadlen":)" + length +
         R"(,"mid":7,)" + payload + "}";
}

std::string csv_row(const std::string& fields) { return "2016-08-10T08:47:38.000012345+00:00,a/b,1,1," + fields; }

const std::string escaped_controls = R"("\t\u001b[1m\r\n)"
                                     "\x7F\"";
const std::string escaped_document = R"("{ \"t\": 27.0, \"s\": \"a\\\"b\" }")";

const std::string dumped_document =
    "a/b\n"
    "00000000  7b 20 22 74 22 3a 20 32  37 2e 30 2c 20 22 73 22  |{ \"t\": 27.0, \"s\"|\n"
    "00000010  3a 20 22 61 5c 22 62 22  20 7d                    |: \"a\\\"b\" }|";

const std::vector<End> all_ends{End::newline, End::nul, End::nothing};

const FormRow forms[] = {
    {"payload",
     by_style(Style::payload),
     all_ends,
     {"28 °C", std::nullopt, "a\0b"s, "\xFF\xC3", document, "\t\x1B[1m\r\n\x7F"}},
    {"verbose",
     by_style(Style::verbose),
     {End::newline, End::nul},
     {"a/b 28 °C", "a/b (null)", "a/b a\0b"s, "a/b \xFF\xC3", "a/b " + document, "a/b \t\x1B[1m\r\n\x7F"}},
    {"verbose without an end",
     by_style(Style::verbose),
     {End::nothing},
     {"a/b 28 °C", std::nullopt, "a/b a\0b"s, "a/b \xFF\xC3", "a/b " + document, "a/b \t\x1B[1m\r\n\x7F"}},
    {"json",
     by_style(Style::json),
     all_ends,
     {recorded_line(R"("payload":"28 °C")"), recorded_line(R"("payload":"")"),
      recorded_line(R"("payload_base64":"YQBi")"), recorded_line(R"("payload_base64":"/8M=")"),
      recorded_line("\"payload\":" + escaped_document), recorded_line("\"payload\":" + escaped_controls)}},
    {"hex",
     by_style(Style::hex_dump),
     all_ends,
     {"a/b\n00000000  32 38 20 c2 b0 43                                 |28 ..C|", "a/b",
      "a/b\n00000000  61 00 62                                          |a.b|",
      "a/b\n00000000  ff c3                                             |..|", dumped_document,
      "a/b\n00000000  09 1b 5b 31 6d 0d 0a 7f                           |..[1m...|"}},
    {"csv",
     by_style(Style::csv),
     {End::newline},
     {csv_row("28 °C,"), csv_row(","), csv_row(",YQBi"), csv_row(",/8M="),
      csv_row(R"("{ ""t"": 27.0, ""s"": ""a\""b"" }",)"), csv_row("\"\t\x1B[1m\r\n\x7F\",")}},
    {"%p", by_format("%p"), all_ends, {"28 °C", "", "a\0b"s, "\xFF\xC3", document, "\t\x1B[1m\r\n\x7F"}},
    {"%x",
     by_format("%x"),
     all_ends,
     {"323820c2b043", "", "610062", "ffc3", "7b202274223a2032372e302c202273223a2022615c226222207d",
      "091b5b316d0d0a7f"}},
    {"%l", by_format("%l"), all_ends, {"6", "0", "3", "2", "26", "8"}},
    {"%j",
     by_format("%j"),
     all_ends,
     {mosquitto_json("6", R"("payload":"28 °C")"), mosquitto_json("0", R"("payload":null)"),
      mosquitto_json("3", R"("payload_base64":"YQBi")"), mosquitto_json("2", R"("payload_base64":"/8M=")"),
      mosquitto_json("26", "\"payload\":" + escaped_document), mosquitto_json("8", "\"payload\":" + escaped_controls)}},
    {"%J",
     by_format("%J"),
     all_ends,
     {std::nullopt, mosquitto_json("0", R"("payload":null)"), std::nullopt, std::nullopt,
      mosquitto_json("26", R"("payload":{"t":27.0,"s":"a\"b"})"), std::nullopt},
     "its payload is no JSON"},
    {"%{base64}",
     by_format("%{base64}"),
     all_ends,
     {"MjggwrBD", "", "YQBi", "/8M=", "eyAidCI6IDI3LjAsICJzIjogImFcImIiIH0=", "CRtbMW0NCn8="}},
};

TEST(Forms, EachShowsEachKindOfPayloadAndTheEndFollows) {
  const test::TimeZone zone("UTC0");
  for (const FormRow& row : forms) {
    ASSERT_EQ(row.bodies.size(), std::size(payload_kinds)) << row.name;
    for (const End end : row.ends) {
      const Format format = row.form(end);
      for (std::size_t at = 0; at < row.bodies.size(); ++at) {
        const auto& [kind, payload] = payload_kinds[at];
        SCOPED_TRACE(row.name + " of a payload that is " + kind + ", end " + std::to_string(static_cast<int>(end)));
        std::string out = "before|";
        const auto fault = format.append(formed(payload), {}, out);
        EXPECT_EQ(fault, row.bodies[at] ? std::nullopt : row.fault);
        EXPECT_EQ(out, "before|" + (row.bodies[at] ? *row.bodies[at] + byte_of(end) : ""));
      }
    }
  }
}

TEST(Forms, ATableAloneHasAHeading) {
  for (const FormRow& row : forms) {
    EXPECT_EQ(row.form(End::newline).heading(),
              row.name == "csv" ? "time,topic,qos,retain,payload,payload_base64\n" : "")
        << row.name;
  }
}

/// As RFC 4648 has it; written for the test, so that nothing is judged by itself.
std::string unbase64(const std::string& text) {
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<std::uint32_t, 256> values{};
  for (std::uint32_t value = 0; value < alphabet.size(); ++value) {
    values.at(static_cast<unsigned char>(alphabet[value])) = value;
  }
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text.substr(0, text.find('='))) {
    bits = bits << 6U | values.at(static_cast<unsigned char>(c));
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>(bits >> static_cast<unsigned>(count) & 0xFFU);
    }
  }
  return bytes;
}

std::string unhex(const std::string& digits) {
  const auto value = [](char digit) { return digit < 'a' ? digit - '0' : digit - 'a' + 10; };
  std::string bytes;
  for (std::size_t at = 0; at + 1 < digits.size(); at += 2) {
    bytes += static_cast<char>(value(digits[at]) * 16 + value(digits[at + 1]));
  }
  return bytes;
}

/// The fields of a row [RFC 4180], whose newline has been taken off.
std::vector<std::string> csv_fields(const std::string& row) {
  std::vector<std::string> fields(1);
  bool is_quoted = false;
  for (std::size_t at = 0; at < row.size(); ++at) {
    if (row[at] == '"' && is_quoted && at + 1 < row.size() && row[at + 1] == '"') {
      fields.back() += row[++at];
    } else if (row[at] == '"') {
      is_quoted = !is_quoted;
    } else if (row[at] == ',' && !is_quoted) {
      fields.emplace_back();
    } else {
      fields.back() += row[at];
    }
  }
  return fields;
}

/// The payload of a dump, whose places must follow each other.
std::string undumped(const std::string& dump) {
  std::string payload;
  for (std::size_t at = dump.find('\n'); at != std::string::npos; at = dump.find('\n', at + 1)) {
    const std::string line = dump.substr(at + 1, dump.find('\n', at + 1) - at - 1);
    EXPECT_EQ(std::stoul(line.substr(0, 8), nullptr, 16), payload.size());
    std::string digits = line.substr(9, 50);
    std::erase(digits, ' ');
    const std::string bytes = unhex(digits);
    std::string as_text = bytes;
    for (char& c : as_text) {
      c = c < 0x20 || c > 0x7E ? '.' : c;
    }
    EXPECT_EQ(line.substr(60), "|" + as_text + "|");
    payload += bytes;
  }
  return payload;
}

/// The payload that a line of --json has.
std::string payload_in(const nlohmann::json& record) {
  EXPECT_NE(record.contains("payload"), record.contains("payload_base64"));
  return record.contains("payload") ? record.at("payload").get<std::string>()
                                    : unbase64(record.at("payload_base64").get<std::string>());
}

std::string in_form(const Format& format, const std::string& payload) {
  std::string out;
  EXPECT_FALSE(format.append(formed(payload), {}, out));
  EXPECT_TRUE(out.ends_with('\n'));
  out.pop_back();
  return out;
}

/// More than is gathered before it is written, and than a length of two bytes can say.
constexpr std::size_t much = std::size_t{66} * 1024;

/// Of so much or somewhat more: any bytes, text with all that forms have to escape, and JSON.
std::vector<std::string> large_payloads() {
  std::string bytes(much, '\0');
  std::mt19937 random{1};
  std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<char>(random() & 0xFFU); });
  std::string text;
  while (text.size() < much) {
    text += "\"a, b\"\r\n\\ °\x01\t\x7F 😀";
  }
  nlohmann::json json = nlohmann::json::array();
  for (std::size_t size = 0; size < much; size += 512) {
    json.push_back({{"n", size}, {"s", std::string(500, 'x') + "°\"\n"}});
  }
  return {bytes, text, json.dump()};
}

/// (Without EXPECT_EQ, which would compare such strings line by line where they differ.)
TEST(Forms, AMuchLargerPayloadCanBeReadBackOutOfEach) {
  const std::vector<std::string> payloads = large_payloads();
  for (const std::string& payload : payloads) {
    const auto by = [&](const Format& format) { return in_form(format, payload); };
    const auto by_text = [&](const char* format) { return by(Format(format, false, End::newline)); };
    EXPECT_TRUE(by(Format{Style::payload, End::newline}) == payload);
    EXPECT_TRUE(by(Format{Style::verbose, End::newline}) == "a/b " + payload);
    const std::string line = by(Format{Style::json, End::newline});
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 0);
    EXPECT_TRUE(payload_in(nlohmann::json::parse(line)) == payload);
    const std::vector<std::string> fields = csv_fields(by(Format{Style::csv, End::newline}));
    ASSERT_EQ(fields.size(), 6U);
    EXPECT_TRUE(fields[4].empty() || fields[5].empty());
    EXPECT_TRUE(fields[4] + unbase64(fields[5]) == payload);
    EXPECT_TRUE(by_text("%p") == payload);
    EXPECT_TRUE(unhex(by_text("%x")) == payload);
    EXPECT_EQ(by_text("%l"), std::to_string(payload.size()));
    EXPECT_TRUE(payload_in(nlohmann::json::parse(by_text("%j"))) == payload);
    EXPECT_TRUE(unbase64(by_text("%{base64}")) == payload);
  }
  const std::string& bytes = payloads.front();
  EXPECT_TRUE(undumped(in_form(Format{Style::hex_dump, End::newline}, bytes)) == bytes);
  const std::string& json = payloads.back();
  const std::string embedded = in_form(Format("%J", false, End::newline), json);
  EXPECT_TRUE(embedded.ends_with("\"payload\":" + json + "}"));
  EXPECT_TRUE(nlohmann::json::accept(embedded));
}

TEST(Forms, ALineOfJsonGivesTheMessageBack) {
  for (const auto& [kind, payload] : payload_kinds) {
    const std::string line = in_form(Format{Style::json, End::newline}, payload);
    EXPECT_EQ(payload_in(nlohmann::json::parse(line)), payload) << kind;
    const Message again = read_record(line).message;
    EXPECT_EQ(again.payload, payload) << kind;
    EXPECT_EQ(again.arrival, formed("").arrival) << kind;
  }
}

TEST(FormsOnATerminal, SpellOutWhatWouldActOnIt) {
  const test::TimeZone zone("UTC0");
  const std::string payload = "\t\x1B[1m\r\n\x7F\xFF";
  const std::string spelled = "\\t\\x1b[1m\\r\\n\\u007f";
  const std::tuple<Format, std::string, std::string> table[] = {
      {Format{Style::json, End::newline}, "\t\x1B[1m\r\n\x7F",
       recorded_line(R"("payload":"\t\u001b[1m\r\n\u007f")") + "\n"},
      {Format{Style::csv, End::newline}, "\t\x1B[1m\r\n\x7F", csv_row("\"" + spelled + "\",\n")},
      {Format{Style::csv, End::newline}, payload, csv_row(",CRtbMW0NCn//\n")},
      {Format{Style::hex_dump, End::nul}, payload,
       "a/b\n00000000  09 1b 5b 31 6d 0d 0a 7f  ff                       |..[1m....|\0"s},
      {Format{Style::verbose, End::newline}, payload, "a/b " + spelled + "\\xff\n"},
      {Format{Style::verbose, End::nothing}, payload, "a/b " + spelled + "\\xff"},
      {Format{Style::payload, End::newline}, payload, spelled + "\\xff\n"},
      // Nothing of ours stands between payloads that could be forged.
      {Format{Style::payload, End::nothing}, payload, "\t\\x1b[1m\\r\n\\u007f\\xff"},
      {Format{Style::payload, End::nul}, payload, "\t\\x1b[1m\\r\n\\u007f\\xff\0"s},
      {Format("%p", false, End::newline), payload, spelled + "\\xff\n"},
      {Format("%x %l %{base64}", false, End::newline), payload, "091b5b316d0d0a7fff 9 CRtbMW0NCn//\n"},
  };
  for (auto [format, given, expected] : table) {
    format.spell_out_controls();
    std::string out;
    EXPECT_FALSE(format.append(formed(given), {}, out));
    EXPECT_EQ(out, expected);
  }
}

}  // namespace
}  // namespace sistem
