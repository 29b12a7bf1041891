#include "common/mqtt/record.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/mqtt/property.hpp"
#include "common/mqtt/topic.hpp"
#include "common/text/encoding.hpp"
#include "common/text/wall_time.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

using namespace std::chrono;

// A message as a line of JSON
// ------------------------------------------------------------------------------------------

// This is where a busy sub spends its time: everything is appended as it is, without a tree of values in between.

bool stands_as_it_is(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\'; }

void append_escaped(char c, std::string& out) {
  switch (c) {
    case '"': out += "\\\""; break;
    case '\\': out += "\\\\"; break;
    case '\b': out += "\\b"; break;
    case '\f': out += "\\f"; break;
    case '\n': out += "\\n"; break;
    case '\r': out += "\\r"; break;
    case '\t': out += "\\t"; break;
    default: out += "\\u00" + hex({&c, 1}, HexDigits::lower);
  }
}

/// Appends UTF-8 in quotation marks.
void append_string(std::string_view text, std::string& out) {
  out += '"';
  while (!text.empty()) {
    const auto run =
        static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), stands_as_it_is) - text.begin());
    out.append(text.substr(0, run));
    text.remove_prefix(run);
    if (!text.empty()) {
      append_escaped(text.front(), out);
      text.remove_prefix(1);
    }
  }
  out += '"';
}

/// The same of what should be UTF-8 and may be none, since not every broker looks.
void append_any_string(std::string_view text, std::string& out) {
  if (is_utf8(text)) {
    append_string(text, out);
    return;
  }
  std::string mended;
  while (!text.empty()) {
    const Character one = take_character(text);
    mended += one.is_utf8 ? one.bytes : "\xEF\xBF\xBD";
  }
  append_string(mended, out);
}

/// Appends `"name":"text"`, or `"name_base64":"..."` where the bytes are no text.
void append_bytes(std::string_view name, std::string_view bytes, std::string& out) {
  out.append("\"").append(name);
  if (is_text(bytes)) {
    out += "\":";
    append_string(bytes, out);
  } else {
    out.append("_base64\":\"").append(base64(bytes)).append("\"");
  }
}

template <typename Number>
void append_number(Number value, std::string& out) {
  const fmt::format_int digits(value);
  out.append(digits.data(), digits.size());
}

/// All values of an identifier, at the place of the first.
template <typename Append>
void append_array(const std::vector<Property>& properties, const Property& first, std::string& out, Append append) {
  char before = '[';
  for (const Property& property : properties) {
    if (property.identifier == first.identifier) {
      out += before;
      append(property);
      before = ',';
    }
  }
  out += ']';
}

void append_property(const std::vector<Property>& all, const Property& property, const KnownProperty& known,
                     std::string& out) {
  if (known.kind == KnownProperty::Kind::bytes) {
    append_bytes(known.name, property.text, out);
    return;
  }
  out.append("\"").append(known.name).append("\":");
  switch (known.kind) {
    case KnownProperty::Kind::text: append_any_string(property.text, out); break;
    case KnownProperty::Kind::pair:
      append_array(all, property, out, [&](const Property& one) {
        out += '[';
        append_any_string(one.name, out);
        out += ',';
        append_any_string(one.text, out);
        out += ']';
      });
      break;
    default:
      if (property.identifier == property_id::subscription_identifier) {
        append_array(all, property, out, [&](const Property& one) { append_number(one.number, out); });
      } else {
        append_number(property.number, out);
      }
  }
}

void append_properties(const std::vector<Property>& properties, std::string& out) {
  std::uint64_t seen = 0;  // identifiers are below 64, and each is one key
  char before = '{';
  for (const Property& property : properties) {
    const KnownProperty* const one = known_property(property.identifier);
    if (one == nullptr || !one->may_be_in(PacketType::publish) || (seen >> property.identifier & 1U) != 0) {
      continue;
    }
    seen |= std::uint64_t{1} << property.identifier;
    out.append(before == '{' ? ",\"properties\":" : "") += before;
    append_property(properties, property, *one, out);
    before = ',';
  }
  out += before == ',' ? "}" : "";
}

// A line of JSON as a message
// ------------------------------------------------------------------------------------------

using Json = nlohmann::ordered_json;

[[noreturn]] void complain(std::string_view key, std::string_view expected) {
  throw Expected(fmt::format("{}: expected {}", key, expected));
}

/// The same, and shows the value where it is short.
[[noreturn]] void complain(std::string_view key, std::string_view expected, const Json& value) {
  constexpr std::size_t short_enough = 40;
  const std::string got = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  complain(key, got.size() <= short_enough ? fmt::format("{}, got {}", expected, got) : std::string(expected));
}

const std::string& string_in(std::string_view key, const Json& value, std::string_view expected = "a string") {
  if (!value.is_string()) {
    complain(key, expected, value);
  }
  return value.get_ref<const Json::string_t&>();
}

bool truth_in(std::string_view key, const Json& value) {
  if (!value.is_boolean()) {
    complain(key, "true or false", value);
  }
  return value.get<bool>();
}

/// A whole number from 0 to `most`.
template <typename Number>
Number number_in(std::string_view key, const Json& value, std::type_identity_t<Number> most,
                 std::string_view expected = {}) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > static_cast<std::uint64_t>(most)) {
    complain(key, expected.empty() ? fmt::format("a whole number from 0 to {}", most) : std::string(expected), value);
  }
  return value.get<Number>();
}

std::string bytes_in(std::string_view key, const Json& value) {
  auto bytes = bytes_of_base64(string_in(key, value, "base64, with its padding"));
  if (!bytes) {
    complain(key, "base64, with its padding", value);
  }
  return std::move(*bytes);
}

/// All of it, to the second at least.
std::optional<WallTime> time_of(std::string_view text) {
  constexpr std::size_t shortest = std::string_view("2026-11-25T09:36:56Z").size();
  return text.size() >= shortest && text.ends_with('Z') ? utc_time_of(text) : std::nullopt;
}

/// Adds a property, with its values as -D has them, if they are right.
void add_property(std::vector<Property>& properties, std::string_view name, std::vector<std::string> values) {
  std::vector<std::string> words{"publish", std::string(name)};
  std::ranges::move(values, std::back_inserter(words));
  try {
    properties.push_back(placed_property(words).property);
  } catch (const Expected& expected) {
    throw Expected(fmt::format("properties: {}", expected.what()));
  }
}

void read_pairs(std::string_view key, std::string_view name, const Json& value, std::vector<Property>& properties) {
  const auto is_pair = [](const Json& one) {
    return one.is_array() && one.size() == 2 && one[0].is_string() && one[1].is_string();
  };
  if (!value.is_array() || !std::all_of(value.begin(), value.end(), is_pair)) {
    complain(key, R"(an array of pairs, [["name", "value"]])", value);
  }
  for (const Json& pair : value) {
    add_property(properties, name, {pair[0].get<std::string>(), pair[1].get<std::string>()});
  }
}

void check_identifiers(std::string_view key, const Json& value) {
  constexpr std::uint32_t largest = 268'435'455;  // [MQTT5-3.3.2.3.8]
  if (!value.is_array()) {
    complain(key, "an array of numbers", value);
  }
  for (const Json& one : value) {
    (void)number_in<std::uint32_t>(key, one, largest);
  }
}

void read_number(std::string_view key, const KnownProperty& known, const Json& value,
                 std::vector<Property>& properties) {
  const auto number = number_in<std::uint32_t>(key, value, std::numeric_limits<std::uint32_t>::max());
  if (known.identifier == property_id::topic_alias) {
    return;  // of another connection
  }
  if (number > longest_expiry && known.identifier == property_id::message_expiry_interval) {
    properties.push_back({known.identifier, number, {}});  // what has come can be kept
  } else {
    add_property(properties, known.name, {std::to_string(number)});
  }
}

void read_property(std::string key, const Json& value, std::vector<Property>& properties) {
  using enum KnownProperty::Kind;
  constexpr std::string_view base64_suffix = "_base64";
  const bool is_base64 = key.ends_with(base64_suffix);
  const std::string name = is_base64 ? key.substr(0, key.size() - base64_suffix.size()) : key;
  std::vector<std::string_view> names;
  const KnownProperty* one = nullptr;
  for (const KnownProperty& known : known_properties()) {
    if (known.may_be_in(PacketType::publish)) {
      names.push_back(known.name);
      one = known.name == name ? &known : one;
    }
  }
  if (one == nullptr || (is_base64 && one->kind != bytes)) {
    complain("properties", fmt::format("no key {}; there are {}", key, fmt::join(names, ", ")));
  }
  key.insert(0, "properties: ");
  if (one->identifier == property_id::subscription_identifier) {
    check_identifiers(key, value);
  } else if (one->kind == number) {
    read_number(key, *one, value, properties);
  } else if (one->kind == pair) {
    read_pairs(key, name, value, properties);
  } else {
    add_property(properties, name, {is_base64 ? bytes_in(key, value) : string_in(key, value)});
  }
}

void read_properties(const Json& value, std::vector<Property>& properties) {
  if (!value.is_object()) {
    complain("properties", "an object", value);
  }
  if (value.contains("correlation-data") && value.contains("correlation-data_base64")) {
    complain("properties", "correlation-data or correlation-data_base64, not both");
  }
  for (const auto& [key, one] : value.items()) {
    read_property(key, one, properties);
  }
}

duration<double> delay_in(const Json& value) {
  if (!value.is_number() || !std::isfinite(value.get<double>()) || value.get<double>() < 0) {
    complain("delay", "seconds, 0 or more", value);
  }
  return duration<double>(value.get<double>());
}

void read_member(const std::string& key, const Json& value, Record& record) {
  Message& message = record.message;
  if (key == "topic") {
    message.topic = string_in(key, value);
    if (const auto fault = fault_of_topic_name(message.topic)) {
      complain(key, *fault, value);
    }
  } else if (key == "payload") {
    message.payload = string_in(key, value, "a string (payload_base64 for bytes that are no text)");
  } else if (key == "payload_base64") {
    message.payload = bytes_in(key, value);
  } else if (key == "qos") {
    message.qos = number_in<int>(key, value, 2, "0, 1 or 2");
  } else if (key == "retain") {
    message.retain = truth_in(key, value);
  } else if (key == "dup") {
    message.dup = truth_in(key, value);
  } else if (key == "mid") {
    message.packet_id = number_in<std::uint16_t>(key, value, std::numeric_limits<std::uint16_t>::max());
  } else if (key == "arrival") {
    const auto time = time_of(string_in(key, value));
    if (!time) {
      complain(key, "a time in UTC as 2026-11-25T09:36:56.123456789Z", value);
    }
    message.arrival = *time;
  } else if (key == "monotonic_ns") {
    message.arrival_steady = steady_clock::time_point{
        nanoseconds{number_in<std::int64_t>(key, value, std::numeric_limits<std::int64_t>::max())}};
  } else if (key == "properties") {
    read_properties(value, message.properties);
  } else if (key == "delay") {
    record.delay = delay_in(value);
  } else {
    throw Expected(
        fmt::format("{}: expected no such key; there are topic, payload, payload_base64, qos, retain, delay, "
                    "properties, dup, mid, arrival, monotonic_ns",
                    key));
  }
}

/// Throws Expected for what is no JSON, for a key that stands twice, of which the parser would take one, and for what
/// is nested deeper than anything that could be right: nobody's stack need hold it.
Json parsed(std::string_view line) {
  constexpr auto expected = "expected a JSON object in one line";
  constexpr int deepest = 8;
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  const auto look = [&](int depth, Json::parse_event_t event, const Json& value) {
    if (depth > deepest) {
      throw Expected(expected);
    }
    if (event == Json::parse_event_t::object_start) {
      keys.emplace_back();
    } else if (event == Json::parse_event_t::object_end) {
      keys.pop_back();
    } else if (event == Json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second) {
      throw Expected(fmt::format("{}: expected only once", value.get<std::string>()));
    }
    return true;
  };
  // To the parser a NUL is the end of its input.
  if (line.find('\0') != std::string_view::npos) {
    throw Expected(expected);
  }
  try {
    Json json = Json::parse(line, look);
    if (!json.is_object()) {
      throw Expected(expected);
    }
    return json;
  } catch (const Json::exception&) {
    throw Expected(expected);
  }
}

}  // namespace

void append_record(const Message& message, std::string& out) {
  out += R"({"topic":)";
  append_any_string(message.topic, out);
  out += ',';
  append_bytes("payload", message.payload, out);
  out += R"(,"qos":)";
  append_number(message.qos, out);
  out += message.retain ? R"(,"retain":true)" : R"(,"retain":false)";
  out += message.dup ? R"(,"dup":true)" : "";
  if (message.packet_id != 0) {
    out += R"(,"mid":)";
    append_number(message.packet_id, out);
  }
  if (message.arrival != system_clock::time_point{}) {
    out += R"(,"arrival":")";
    append_utc_time(message.arrival, 9, out);
    out += '"';
  }
  if (message.arrival_steady != steady_clock::time_point{}) {
    out += R"(,"monotonic_ns":)";
    append_number(nanoseconds(message.arrival_steady.time_since_epoch()).count(), out);
  }
  append_properties(message.properties, out);
  out += '}';
}

Record read_record(std::string_view line, Message otherwise) {
  const Json json = parsed(line);
  if (!json.contains("topic") && otherwise.topic.empty()) {
    complain("topic", "a topic name");
  }
  if (json.contains("payload") && json.contains("payload_base64")) {
    complain("payload", "payload or payload_base64, not both");
  }
  Record record{std::move(otherwise), {}};
  for (const auto& [key, value] : json.items()) {
    read_member(key, value, record);
  }
  return record;
}

}  // namespace sistem
