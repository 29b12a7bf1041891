// A line of JSON as a message.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/mqtt/property.hpp"
#include "common/mqtt/record.hpp"
#include "common/mqtt/topic.hpp"
#include "common/text/encoding.hpp"
#include "common/text/wall_time.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

using namespace std::chrono;

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

void read_number(std::string_view key, const PublishProperty& known, const Json& value,
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
  using enum PublishProperty::Kind;
  constexpr std::string_view base64_suffix = "_base64";
  const bool is_base64 = key.ends_with(base64_suffix);
  const std::string name = is_base64 ? key.substr(0, key.size() - base64_suffix.size()) : key;
  const auto all = publish_properties();
  const auto one = std::ranges::find(all, name, &PublishProperty::name);
  if (one == all.end() || (is_base64 && one->kind != bytes)) {
    std::vector<std::string_view> names;
    std::ranges::transform(all, std::back_inserter(names), &PublishProperty::name);
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
