#include "sub/show/format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <nlohmann/json.hpp>

#include "common/measure/stamp.hpp"
#include "common/mqtt/property.hpp"
#include "common/mqtt/record.hpp"
#include "common/options/settings.hpp"
#include "common/text/encoding.hpp"
#include "common/text/screen_text.hpp"
#include "common/text/wall_time.hpp"

namespace sistem {
namespace {

using Name = Format::Part::Name;

/// Why a message cannot be shown as the format has it.
using Fault = std::optional<std::string_view>;

constexpr std::string_view no_json = "its payload is no JSON";
constexpr std::string_view no_float = "its payload has not the 4 bytes of a float";
constexpr std::string_view no_double = "its payload has not the 8 bytes of a double";

/// `digits` with a separator after each `group` of them, as mosquitto_sub 2.1 has it.
std::string grouped(const std::string& digits, std::size_t group, char separator) {
  if (group == 0) {
    return digits;
  }
  std::string text;
  for (std::size_t at = 0; at < digits.size(); at += group) {
    if (at > 0) {
      text += separator;
    }
    text.append(digits, at, group);
  }
  return text;
}

using Json = nlohmann::ordered_json;

/// Adds a member even if there is one of that name: a message may carry a property several times [MQTT5-3.3.2.3.7],
/// and as mosquitto_sub we show each.
void add(Json& object, std::string name, Json value) {
  object.get_ref<Json::object_t&>().push_back({std::move(name), std::move(value)});
}

/// Adds bytes as the string that they are, or under a name that says so as base64. mosquitto_sub's JSON ends at a NUL,
/// and is none where the bytes are not UTF-8.
void add_bytes(Json& object, const std::string& name, const std::string& bytes) {
  if (is_text(bytes)) {
    add(object, name, bytes);
  } else {
    add(object, name + "_base64", base64(bytes));
  }
}

/// The properties that PUBLISH carries, by mosquitto_sub's names, which are the specification's.
Json json_of(const std::vector<Property>& properties) {
  Json object = Json::object();
  for (const Property& property : properties) {
    const KnownProperty* const known = known_property(property.identifier);
    if (known == nullptr || !known->may_be_in(PacketType::publish)) {
      continue;
    }
    switch (known->kind) {
      case KnownProperty::Kind::number: add(object, std::string(known->name), property.number); break;
      case KnownProperty::Kind::text: add(object, std::string(known->name), property.text); break;
      case KnownProperty::Kind::bytes: add_bytes(object, std::string(known->name), property.text); break;
      case KnownProperty::Kind::pair: {
        Json& all = object["user-properties"];
        if (all.is_null()) {
          all = Json::object();
        }
        add(all, property.name, property.text);
      }
    }
  }
  return object;
}

/// How the payload stands in the JSON: as a string (%j), or as the JSON that it is itself (%J).
enum class JsonPayload { quoted, embedded };

/// Appends a message as one JSON object, with mosquitto_sub's keys in its order. `time` is when it arrived. False,
/// and nothing is appended, where a payload that should be embedded is no JSON (or nested deeper than 1000, where
/// mosquitto_sub ends too: nobody's stack need hold what a stranger sends).
bool append_json(const Message& message, std::string_view time, JsonPayload payload, bool pretty, std::string& out) {
  Json object{{"tst", time},
              {"topic", message.topic},
              {"qos", message.qos},
              {"retain", message.retain ? 1 : 0},
              {"payloadlen", message.payload.size()}};
  if (message.qos > 0) {
    object["mid"] = message.packet_id;
  }
  if (!message.properties.empty()) {
    object["properties"] = json_of(message.properties);
  }
  const bool embedded = payload == JsonPayload::embedded && !message.payload.empty();
  if (message.payload.empty()) {
    object["payload"] = nullptr;
  } else if (!embedded) {
    add_bytes(object, "payload", message.payload);
  }
  // Whatever a broker lets pass for a topic or a property, what we print is JSON.
  std::string text = object.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (embedded) {
    std::string_view json = message.payload;
    if (!take_json(json)) {
      return false;
    }
    text.pop_back();
    text.append(R"(,"payload":)").append(json).append("}");
  }
  if (!embedded && !pretty) {
    out += text;  // as dump() lays it out
    return true;
  }
  return append_laid_out(text, pretty, out);
}

/// Writes one message, part by part.
class Renderer {
 public:
  Renderer(const Message& message, const Position& position, bool pretty, bool spells_out, std::string& out)
      : message_(message), position_(position), pretty_(pretty), spells_out_(spells_out), out_(out) {}

  Fault append(const Format::Part& part) {
    switch (part.kind) {
      case Format::Part::Kind::text: out_ += part.text; return std::nullopt;
      case Format::Part::Kind::time: time(part.letter); return std::nullopt;
      case Format::Part::Kind::named: named(part); return std::nullopt;
      case Format::Part::Kind::field: break;
    }
    return field(part);
  }

 private:
  Fault field(const Format::Part& part) {
    switch (part.letter) {
      case 'A': number_property(property_id::topic_alias, part); break;
      case 'C': text_property(property_id::content_type, part); break;
      case 'D': text_property(property_id::correlation_data, part); break;
      case 'E': number_property(property_id::message_expiry_interval, part); break;
      case 'F': number_property(property_id::payload_format_indicator, part); break;
      case 'I': text(moment().formatted("%FT%T%z"), part); break;
      case 'J': return json(JsonPayload::embedded);
      case 'P': text(user_properties(), part); break;
      case 'R': text_property(property_id::response_topic, part); break;
      case 'S': number_property(property_id::subscription_identifier, part); break;
      case 'U': fmt::format_to(out(), "{}.{:09}", moment().formatted("%s"), moment().nanoseconds()); break;
      case 'X': hexadecimal(HexDigits::upper, part); break;
      case 'd': return floating<double>(part, no_double);
      case 'f': return floating<float>(part, no_float);
      case 'j': return json(JsonPayload::quoted);
      case 'l': number(message_.payload.size(), part); break;
      case 'm': number(message_.packet_id, part); break;
      case 'p': payload(part); break;
      // mosquitto_sub gives these two no width, whatever was asked for.
      case 'q': number(static_cast<std::size_t>(message_.qos), {}); break;
      case 'r': out_ += message_.retain ? '1' : '0'; break;
      case 't': text(message_.topic, part); break;
      case 'x': hexadecimal(HexDigits::lower, part); break;
      default: break;  // the compiler lets no other pass
    }
    return std::nullopt;
  }

  void named(const Format::Part& part) {
    const bool is_of_stamp = part.name == Name::latency || part.name == Name::seq;
    const auto stamp = is_of_stamp ? stamp_of(message_) : std::nullopt;
    if (is_of_stamp && !stamp) {
      absent(part);
      return;
    }
    switch (part.name) {
      case Name::base64: text(base64(message_.payload), part); break;
      case Name::delta: seconds(position_.since_last, part); break;
      case Name::json: text(json_field(*part.field), part); break;
      case Name::latency: seconds(message_.arrival - stamp->sent, part); break;
      case Name::n: number(position_.number, part); break;
      case Name::seq: number(stamp->sequence, part); break;
      case Name::time: text(moment().in_full(), part); break;
    }
  }

  void seconds(std::chrono::nanoseconds time, const Format::Part& part) {
    decimal(std::chrono::duration<double>(time).count(), part);
  }

  /// With as many decimals as the precision says; zeros stand behind a minus.
  void decimal(double value, const Format::Part& part) {
    const int precision = static_cast<int>(part.precision.value_or(6));
    const int width = static_cast<int>(part.width);
    if (part.left) {
      fmt::format_to(out(), "{:<{}.{}f}", value, width, precision);
    } else if (part.zero) {
      fmt::format_to(out(), "{:0{}.{}f}", value, width, precision);
    } else {
      fmt::format_to(out(), "{:>{}.{}f}", value, width, precision);
    }
  }

  /// A text without its quotation marks, all else as the JSON that it is; nothing where the payload has no such field.
  [[nodiscard]] std::string json_field(const JsonPath& field) const {
    std::string_view json = message_.payload;
    const auto value = take_json(json) ? field.find(json) : std::nullopt;
    std::string text;
    if (value && value->starts_with('"')) {
      text = unquoted(*value);
    } else if (value && !append_laid_out(*value, false, text)) {
      text.clear();
    }
    return text;
  }

  std::back_insert_iterator<std::string> out() { return std::back_inserter(out_); }

  /// The moment of arrival, and not of printing: what waits for a slow reader is not younger for it.
  const LocalTime& moment() {
    if (!moment_) {
      moment_.emplace(message_.arrival);
    }
    return *moment_;
  }

  void time(char letter) {
    if (letter == 'N') {
      fmt::format_to(out(), "{:09}", moment().nanoseconds());
    } else {
      const std::array<char, 3> conversion{'%', letter, '\0'};
      out_ += moment().formatted(conversion.data());
    }
  }

  Fault json(JsonPayload payload) {
    // mosquitto_sub 2.0.11 has a Z before the zone, which its manual has not, nor any standard.
    const std::string time =
        fmt::format("{}.{:06}{}", moment().formatted("%FT%T"), moment().nanoseconds() / 1000, moment().formatted("%z"));
    const std::size_t before = out_.size();
    if (!append_json(message_, time, payload, pretty_, out_)) {
      return no_json;
    }
    if (spells_out_) {  // JSON may hold DEL and the second set of control characters; its lines are those of the layout
      out_.replace(before, std::string::npos, shown(out_.substr(before), TextLines::several));
    }
    return std::nullopt;
  }

  void padded(std::string_view text, const Format::Part& part, char padding) {
    const std::size_t missing = part.width > text.size() ? part.width - text.size() : 0;
    if (!part.left) {
      out_.append(missing, padding);
    }
    out_ += text;
    if (part.left) {
      out_.append(missing, ' ');
    }
  }

  /// At least the width and at most the precision, in bytes.
  void text(std::string_view text, const Format::Part& part) {
    padded(harmless(text.substr(0, part.precision.value_or(std::string_view::npos))), part, ' ');
  }

  void number(std::size_t value, const Format::Part& part) {
    padded(fmt::format_int(value).str(), part, part.zero ? '0' : ' ');
  }

  /// An absent property leaves its column empty, under the flag 0 full of zeros, as mosquitto_sub does.
  void number_property(std::uint8_t identifier, const Format::Part& part) {
    if (const Property* property = find(identifier)) {
      number(property->number, part);
    } else {
      absent(part);
    }
  }
  void absent(const Format::Part& part) { out_.append(part.width, part.zero ? '0' : ' '); }

  /// mosquitto_sub 2.0.11 and 2.1 know no width of %D and %P, and forget that of %R where there is none, so that a
  /// table loses its columns. Ours keep them.
  void text_property(std::uint8_t identifier, const Format::Part& part) {
    const Property* property = find(identifier);
    text(property != nullptr ? std::string_view(property->text) : std::string_view{}, part);
  }

  [[nodiscard]] std::string user_properties() const {
    std::string all;
    for (const Property& property : message_.properties) {
      if (property.identifier == property_id::user_property) {
        fmt::format_to(std::back_inserter(all), "{}{}:{}", all.empty() ? "" : " ", property.name, property.text);
      }
    }
    return all;
  }

  [[nodiscard]] const Property* find(std::uint8_t identifier) const {
    const auto found = std::ranges::find(message_.properties, identifier, &Property::identifier);
    return found == message_.properties.end() ? nullptr : &*found;
  }

  /// The width cuts a payload, too: not as mosquitto_sub's manual has it, but as it does.
  [[nodiscard]] std::string_view cut_payload(const Format::Part& part) const {
    return std::string_view(message_.payload).substr(0, part.width > 0 ? part.width : std::string::npos);
  }

  /// (mosquitto_sub has %-p followed by as many spaces as the payload has bytes. We have not.)
  void payload(const Format::Part& part) { padded(harmless(cut_payload(part)), part, part.zero ? '0' : ' '); }

  /// A stranger's text as it may be shown where this goes.
  [[nodiscard]] std::string_view harmless(std::string_view text) {
    if (!spells_out_) {
      return text;
    }
    spelled_out_ = shown(text);
    return spelled_out_;
  }

  /// As mosquitto_sub 2.1: the width cuts to so many bytes, which have twice as many digits. 2.0 cuts these in half
  /// again, and a payload that would fit too. Padding counts in the groups.
  void hexadecimal(HexDigits digits, const Format::Part& part) {
    std::string text = hex(cut_payload(part), digits);
    const std::size_t missing = part.width > text.size() ? part.width - text.size() : 0;
    if (!part.left) {
      text.insert(0, missing, part.zero ? '0' : ' ');
    }
    out_ += grouped(text, part.precision.value_or(0), part.separator);
    if (part.left) {
      out_.append(missing, ' ');
    }
  }

  /// The payload's bytes as they lie in memory here, that is, on all machines of today the lowest first.
  template <typename Number>
  Fault floating(const Format::Part& part, std::string_view fault) {
    Number value = 0;
    if (message_.payload.size() != sizeof value) {
      return fault;
    }
    std::memcpy(&value, message_.payload.data(), sizeof value);
    decimal(static_cast<double>(value), part);
    return std::nullopt;
  }

  const Message& message_;
  const Position& position_;
  const bool pretty_;
  const bool spells_out_;
  std::string spelled_out_;
  std::string& out_;
  std::optional<LocalTime> moment_;
};

constexpr std::size_t bytes_a_line = 16;

/// "00000010  68 65 6c ...  |hel...|"
void append_dump_line(std::string_view bytes, std::size_t offset, std::string& out) {
  fmt::format_to(std::back_inserter(out), "{:08x} ", offset);
  for (std::size_t at = 0; at < bytes_a_line; ++at) {
    out += at == bytes_a_line / 2 ? "  " : " ";
    out += at < bytes.size() ? hex(bytes.substr(at, 1), HexDigits::lower) : "  ";
  }
  out += "  |";
  std::transform(bytes.begin(), bytes.end(), std::back_inserter(out),
                 [](char c) { return c >= ' ' && c <= '~' ? c : '.'; });
  out += '|';
}

void append_dump(const Message& message, bool spells_out, std::string& out) {
  out += spells_out ? shown(message.topic) : message.topic;
  for (std::size_t at = 0; at < message.payload.size(); at += bytes_a_line) {
    out += '\n';
    append_dump_line(std::string_view(message.payload).substr(at, bytes_a_line), at, out);
  }
}

constexpr std::string_view csv_heading = "time,topic,qos,retain,payload,payload_base64\n";

/// In quotation marks where the field would not stand as it is [RFC 4180, 2].
void append_csv_field(std::string_view field, std::string& out) {
  if (field.find_first_of("\",\r\n") == std::string_view::npos) {
    out += field;
    return;
  }
  out += '"';
  for (const char c : field) {
    out += c == '"' ? "\"" : "";
    out += c;
  }
  out += '"';
}

void append_csv(const Message& message, std::string& out) {
  out += LocalTime{message.arrival}.in_full();
  out += ',';
  append_csv_field(message.topic, out);
  fmt::format_to(std::back_inserter(out), ",{},{},", message.qos, message.retain ? 1 : 0);
  if (is_text(message.payload)) {
    append_csv_field(message.payload, out);
    out += ',';
  } else {
    out += ',';
    out += base64(message.payload);
  }
}

}  // namespace

Format::Format(std::string_view format, bool pretty, End end)
    : style_(Style::parts), end_(end), pretty_(pretty), parts_(compiled(format)) {}

std::string_view Format::heading() const { return style_ == Style::csv ? csv_heading : std::string_view{}; }

std::optional<std::string_view> Format::append(const Message& message, const Position& position,
                                               std::string& out) const {
  const bool is_bare = style_ == Style::payload || style_ == Style::verbose;
  if (is_bare && message.payload.empty() && (style_ == Style::payload || end_ == End::nothing)) {
    return std::nullopt;
  }
  const std::size_t before = out.size();
  if (const auto fault = append_form(message, position, out)) {
    out.resize(before);
    return fault;
  }
  if (spells_out_ && style_ != Style::parts && style_ != Style::hex_dump) {  // which see to their own
    const bool stands_alone = style_ == Style::payload && end_ != End::newline;
    out.replace(before, std::string::npos,
                shown(out.substr(before), stands_alone ? TextLines::several : TextLines::one));
  }
  switch (end_) {
    case End::newline: out += '\n'; break;
    case End::nul: out += '\0'; break;
    case End::nothing: break;
  }
  return std::nullopt;
}

Fault Format::append_form(const Message& message, const Position& position, std::string& out) const {
  switch (style_) {
    case Style::payload: out += message.payload; break;
    case Style::verbose:
      out.append(message.topic).append(" ").append(message.payload.empty() ? "(null)" : message.payload);
      break;
    case Style::json: append_record(message, out); break;
    case Style::hex_dump: append_dump(message, spells_out_, out); break;
    case Style::csv: append_csv(message, out); break;
    case Style::parts: {
      Renderer renderer{message, position, pretty_, spells_out_, out};
      for (const Part& part : parts_) {
        if (const Fault fault = renderer.append(part)) {
          return fault;
        }
      }
    }
  }
  return std::nullopt;
}

}  // namespace sistem
