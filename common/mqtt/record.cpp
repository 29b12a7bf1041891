// A message as a line of JSON. Reading one back is in record_reading.cpp.
#include "common/mqtt/record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "common/mqtt/property.hpp"
#include "common/text/encoding.hpp"
#include "common/text/wall_time.hpp"

namespace sistem {
namespace {

using namespace std::chrono;

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
    const std::size_t length = utf8_sequence(text);
    mended += length > 0 ? text.substr(0, length) : "\xEF\xBF\xBD";
    text.remove_prefix(std::max<std::size_t>(length, 1));
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

void append_property(const std::vector<Property>& all, const Property& property, const PublishProperty& known,
                     std::string& out) {
  if (known.kind == PublishProperty::Kind::bytes) {
    append_bytes(known.name, property.text, out);
    return;
  }
  out.append("\"").append(known.name).append("\":");
  switch (known.kind) {
    case PublishProperty::Kind::text: append_any_string(property.text, out); break;
    case PublishProperty::Kind::pair:
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
    const PublishProperty* const one = publish_property(property.identifier);
    if (one == nullptr || (seen >> property.identifier & 1U) != 0) {
      continue;
    }
    seen |= std::uint64_t{1} << property.identifier;
    out.append(before == '{' ? ",\"properties\":" : "") += before;
    append_property(properties, property, *one, out);
    before = ',';
  }
  out += before == ',' ? "}" : "";
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

}  // namespace sistem
