// A message as a line of JSON. Reading one back is in record_reading.cpp.
#include "common/mqtt/record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "common/mqtt/property.hpp"
#include "common/mqtt/record_properties.hpp"
#include "common/text/encoding.hpp"

namespace sistem {
namespace {

using namespace std::chrono;
using namespace record_detail;

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
    out.append(base64_suffix).append("\":\"").append(base64(bytes)).append("\"");
  }
}

template <typename Number>
void append_number(Number value, std::string& out) {
  const fmt::format_int digits(value);
  out.append(digits.data(), digits.size());
}

void append_digits(std::uint64_t value, std::size_t count, std::string& out) {
  const std::size_t begin = out.size();
  out.append(count, '0');
  for (std::size_t at = begin + count; at > begin; value /= 10) {
    out[--at] = static_cast<char>('0' + value % 10);
  }
}

void append_time(system_clock::time_point time, std::string& out) {
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss<nanoseconds> clock{time - day};
  append_digits(static_cast<std::uint64_t>(static_cast<int>(date.year())), 4, out);
  out += '-';
  append_digits(static_cast<unsigned>(date.month()), 2, out);
  out += '-';
  append_digits(static_cast<unsigned>(date.day()), 2, out);
  out += 'T';
  append_digits(static_cast<std::uint64_t>(clock.hours().count()), 2, out);
  out += ':';
  append_digits(static_cast<std::uint64_t>(clock.minutes().count()), 2, out);
  out += ':';
  append_digits(static_cast<std::uint64_t>(clock.seconds().count()), 2, out);
  out += '.';
  append_digits(static_cast<std::uint64_t>(clock.subseconds().count()), 9, out);
  out += 'Z';
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

void append_property(const std::vector<Property>& all, const Property& property, Kind kind, std::string& out) {
  const std::string_view name = property_name(property.identifier);
  if (kind == Kind::binary) {
    append_bytes(name, property.text, out);
    return;
  }
  out.append("\"").append(name).append("\":");
  switch (kind) {
    case Kind::number: append_number(property.number, out); break;
    case Kind::text: append_any_string(property.text, out); break;
    case Kind::numbers:
      append_array(all, property, out, [&](const Property& one) { append_number(one.number, out); });
      break;
    default:
      append_array(all, property, out, [&](const Property& one) {
        out += '[';
        append_any_string(one.name, out);
        out += ',';
        append_any_string(one.text, out);
        out += ']';
      });
  }
}

void append_properties(const std::vector<Property>& properties, std::string& out) {
  std::uint64_t seen = 0;  // identifiers are below 64, and each is one key
  char before = '{';
  for (const Property& property : properties) {
    const KnownProperty* const one = known_as(property.identifier);
    if (one == nullptr || (seen >> property.identifier & 1U) != 0) {
      continue;
    }
    seen |= std::uint64_t{1} << property.identifier;
    out.append(before == '{' ? ",\"properties\":" : "") += before;
    append_property(properties, property, one->kind, out);
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
    append_time(message.arrival, out);
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
