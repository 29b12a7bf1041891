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
#include "common/mqtt/record_properties.hpp"
#include "common/mqtt/topic.hpp"
#include "common/text/encoding.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

using namespace std::chrono;
using namespace record_detail;

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

/// Takes a number of so many digits off the front.
std::optional<unsigned> take_digits(std::string_view& text, std::size_t count) {
  unsigned number = 0;
  if (text.size() < count) {
    return std::nullopt;
  }
  for (const char c : text.substr(0, count)) {
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  text.remove_prefix(count);
  return number;
}

bool take(std::string_view& text, char c) {
  const bool is_there = text.starts_with(c);
  text.remove_prefix(is_there ? 1 : 0);
  return is_there;
}

std::optional<system_clock::time_point> time_of(std::string_view text) {
  // Beyond these the clock's 64 bits of nanoseconds end.
  constexpr int first_year = 1678;
  constexpr int last_year = 2261;
  std::array<unsigned, 6> parts{};
  constexpr std::string_view separators = "--T::";
  for (std::size_t at = 0; at < parts.size(); ++at) {
    const auto digits = take_digits(text, at == 0 ? 4 : 2);
    if (!digits || (at < separators.size() && !take(text, separators[at]))) {
      return std::nullopt;
    }
    parts.at(at) = *digits;
  }
  nanoseconds fraction{0};
  if (take(text, '.')) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    std::string padded(text.substr(0, digits));
    padded.resize(9, '0');
    std::string_view left = padded;
    if (digits == 0 || digits > 9) {
      return std::nullopt;
    }
    fraction = nanoseconds{*take_digits(left, 9)};
    text.remove_prefix(digits);
  }
  const auto [year_number, month_number, day_number, hour, minute, second] = parts;
  const year_month_day date{year{static_cast<int>(year_number)}, month{month_number}, day{day_number}};
  if (text != "Z" || !date.ok() || date.year() < year{first_year} || date.year() > year{last_year} || hour > 23 ||
      minute > 59 || second > 59) {
    return std::nullopt;
  }
  return sys_days{date} + hours{hour} + minutes{minute} + std::chrono::seconds{second} + fraction;
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

void read_property(std::string key, const Json& value, std::vector<Property>& properties) {
  const bool is_base64 = key.ends_with(base64_suffix);
  const std::string name = is_base64 ? key.substr(0, key.size() - base64_suffix.size()) : key;
  const auto* const one =
      std::find_if(known_properties.begin(), known_properties.end(), [&](const KnownProperty& candidate) {
        return property_name(candidate.identifier) == name && (!is_base64 || candidate.kind == Kind::binary);
      });
  if (one == known_properties.end()) {
    std::vector<std::string_view> names;
    names.reserve(known_properties.size());
    for (const KnownProperty& candidate : known_properties) {
      names.push_back(property_name(candidate.identifier));
    }
    complain("properties", fmt::format("no key {}; there are {}", key, fmt::join(names, ", ")));
  }
  key.insert(0, "properties: ");
  switch (one->kind) {
    case Kind::number: {
      const auto number = number_in<std::uint32_t>(key, value, std::numeric_limits<std::uint32_t>::max());
      if (!one->is_sent_again) {
        return;
      }
      if (number > longest_expiry && name == "message-expiry-interval") {  // what has come can be kept
        properties.push_back({one->identifier, number, {}});
      } else {
        add_property(properties, name, {std::to_string(number)});
      }
      return;
    }
    case Kind::numbers: check_identifiers(key, value); return;
    case Kind::pairs: read_pairs(key, name, value, properties); return;
    default: add_property(properties, name, {is_base64 ? bytes_in(key, value) : string_in(key, value)});
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
