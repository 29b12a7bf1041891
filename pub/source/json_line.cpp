#include "pub/source/json_line.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "common/mqtt/record.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

constexpr double longest_delay = 1e9;  // s, about 31 years

/// Adds the pattern's properties but for those of which the message has its own.
void add_properties(const std::vector<Property>& pattern, std::vector<Property>& properties) {
  std::vector<Property> all;
  for (const Property& property : pattern) {
    const bool is_replaced =
        property_name(property.identifier) != "user-property" &&
        std::ranges::find(properties, property.identifier, &Property::identifier) != properties.end();
    if (!is_replaced) {
      all.push_back(property);
    }
  }
  std::ranges::move(properties, std::back_inserter(all));
  properties = std::move(all);
}

}  // namespace

LineMessage read_json_line(const std::string& line, const Message& pattern, bool has_properties) {
  Message otherwise = pattern;
  otherwise.properties.clear();
  Record record = read_record(line, std::move(otherwise));
  if (!record.message.properties.empty() && !has_properties) {
    throw Expected("properties: expected none, since only MQTT 5 has them: -V 5");
  }
  for (Property& property : record.message.properties) {
    if (property_name(property.identifier) == "message-expiry-interval") {
      property.number = std::min(property.number, longest_expiry);  // a broker may say more than the library can
    }
  }
  add_properties(pattern.properties, record.message.properties);
  check_size(record.message);
  LineMessage read{std::move(record.message)};
  if (record.delay && record.delay->count() > longest_delay) {
    throw Expected("delay: expected 1000000000 seconds at most");
  }
  if (record.delay) {
    read.delay = std::chrono::round<std::chrono::nanoseconds>(*record.delay);
  }
  return read;
}

bool is_blank(const std::string& line) { return line.find_first_not_of(" \t\r") == std::string::npos; }

ReadLine json_lines(Message pattern, bool has_properties) {
  return [pattern = std::move(pattern), has_properties](const std::string& line) {
    return is_blank(line) ? std::nullopt : std::optional(read_json_line(line, pattern, has_properties));
  };
}

}  // namespace sistem
