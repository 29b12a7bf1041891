#include "sub/format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <iterator>

#include "common/payload.hpp"
#include "common/screen_text.hpp"
#include "common/settings.hpp"
#include "sub/message_json.hpp"

namespace sistem {
namespace {

constexpr std::string_view letters = "ACDEFIJPRSUXdfjlmpqrtx";

/// What may stand between groups of hexadecimal digits: mosquitto_sub 2.1's choice.
constexpr std::string_view separators = "!\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// Reads a format string, sequence by sequence.
class Compiler {
 public:
  explicit Compiler(std::string_view format) : format_(format) {}

  std::vector<Format::Part> compile() {
    while (at_ < format_.size()) {
      begin_ = at_;
      const char c = format_[at_++];
      switch (c) {
        case '%': field(); break;
        case '@': time(); break;
        case '\\': escape(); break;
        default: text(c);
      }
    }
    return std::move(parts_);
  }

 private:
  void text(char c) {
    if (parts_.empty() || parts_.back().kind != Format::Part::Kind::text) {
      parts_.emplace_back();
    }
    parts_.back().text += c;
  }

  /// A byte of the sequence that has begun; throws where the format ends before it.
  char take(const char* expected) {
    if (at_ == format_.size()) {
      fail(expected);
    }
    return format_[at_++];
  }

  bool takes(char c) {
    const bool is_next = at_ < format_.size() && format_[at_] == c;
    at_ += is_next ? 1 : 0;
    return is_next;
  }

  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  std::size_t number() {
    std::size_t value = 0;
    while (at_ < format_.size() && is_digit(format_[at_])) {
      value = value * 10 + static_cast<std::size_t>(format_[at_++] - '0');
      if (value > widest) {
        fail("expected a width and a precision of at most 9999 in the sequence");
      }
    }
    return value;
  }

  void field() {
    constexpr auto expected =
        "expected A, C, D, E, F, I, J, P, R, S, U, X, d, f, j, l, m, p, q, r, t, x or % after the %";
    Format::Part part;
    part.kind = Format::Part::Kind::field;
    part.left = takes('-');
    part.zero = takes('0');
    part.width = number();
    if (takes('.')) {
      part.precision = number();
    }
    part.letter = take(expected);
    const bool separated = part.precision && separators.find(part.letter) != std::string_view::npos;
    if (separated) {
      part.separator = part.letter;
      part.letter = take(expected);
    }
    if (part.letter == '%') {
      text('%');
    } else if (letters.find(part.letter) == std::string_view::npos) {
      fail(expected);
    } else if (separated && part.letter != 'x' && part.letter != 'X') {
      fail("expected a separator only with x and X in the sequence");
    } else {
      parts_.push_back(std::move(part));
    }
  }

  void time() {
    const char letter = take("expected a letter of strftime, N or @ after the @");
    if (letter == '@') {
      text('@');
    } else {
      Format::Part& part = parts_.emplace_back();
      part.kind = Format::Part::Kind::time;
      part.letter = letter;
    }
  }

  void escape() {
    constexpr auto expected = "expected 0, a, e, n, r, t, v or \\ after the \\";
    constexpr std::string_view names = "\\0aenrtv";
    constexpr std::string_view meanings{"\\\0\a\x1B\n\r\t\v", 8};
    const std::size_t which = names.find(take(expected));
    if (which == std::string_view::npos) {
      fail(expected);
    }
    text(meanings[which]);
  }

  /// Complains about the sequence that has begun. People count characters, not bytes.
  [[noreturn]] void fail(const char* expected) const {
    const auto before = format_.substr(0, begin_);
    const auto characters = std::count_if(before.begin(), before.end(),
                                          [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
    throw Expected(fmt::format("{} at character {}", expected, characters + 1));
  }

  static constexpr std::size_t widest = 9999;

  std::string_view format_;
  std::size_t at_ = 0;
  std::size_t begin_ = 0;  ///< of the sequence
  std::vector<Format::Part> parts_;
};

/// A moment as strftime wants it.
class Moment {
 public:
  explicit Moment(std::chrono::system_clock::time_point time) {
    const auto whole = std::chrono::floor<std::chrono::seconds>(time);
    nanoseconds_ = std::chrono::nanoseconds(time - whole).count();
    const std::time_t count = std::chrono::system_clock::to_time_t(whole);
    localtime_r(&count, &local_);
  }

  [[nodiscard]] std::string formatted(const char* format) const {
    std::array<char, 100> text{};
    return {text.data(), std::strftime(text.data(), text.size(), format, &local_)};
  }
  [[nodiscard]] std::int64_t nanoseconds() const { return nanoseconds_; }

 private:
  std::tm local_{};
  std::int64_t nanoseconds_ = 0;
};

/// Why a message cannot be shown as the format has it.
using Fault = std::optional<std::string_view>;

constexpr std::string_view no_json = "its payload is no JSON";
constexpr std::string_view no_float = "its payload has not the 4 bytes of a float";
constexpr std::string_view no_double = "its payload has not the 8 bytes of a double";

// Identifiers of properties [MQTT5 2.2.2.2].
constexpr std::uint8_t payload_format_indicator = 1;
constexpr std::uint8_t message_expiry_interval = 2;
constexpr std::uint8_t content_type = 3;
constexpr std::uint8_t response_topic = 8;
constexpr std::uint8_t correlation_data = 9;
constexpr std::uint8_t subscription_identifier = 11;
constexpr std::uint8_t topic_alias = 35;
constexpr std::uint8_t user_property = 38;

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

/// Writes one message, part by part.
class Rendering {
 public:
  Rendering(const Message& message, bool pretty, bool spells_out, std::string& out)
      : message_(message), pretty_(pretty), spells_out_(spells_out), out_(out) {}

  Fault append(const Format::Part& part) {
    switch (part.kind) {
      case Format::Part::Kind::text: out_ += part.text; return std::nullopt;
      case Format::Part::Kind::time: time(part.letter); return std::nullopt;
      case Format::Part::Kind::field: break;
    }
    return field(part);
  }

 private:
  Fault field(const Format::Part& part) {
    switch (part.letter) {
      case 'A': number_property(topic_alias, part); break;
      case 'C': text_property(content_type, part); break;
      case 'D': text_property(correlation_data, part); break;
      case 'E': number_property(message_expiry_interval, part); break;
      case 'F': number_property(payload_format_indicator, part); break;
      case 'I': text(moment().formatted("%FT%T%z"), part); break;
      case 'J': return json(JsonPayload::embedded);
      case 'P': text(user_properties(), part); break;
      case 'R': text_property(response_topic, part); break;
      case 'S': number_property(subscription_identifier, part); break;
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

  std::back_insert_iterator<std::string> out() { return std::back_inserter(out_); }

  /// The moment of arrival, and not of printing: what waits for a slow reader is not younger for it.
  const Moment& moment() {
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
    if (spells_out_) {  // JSON may hold DEL and the second set of control characters as they are, or so
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
      out_.append(part.width, part.zero ? '0' : ' ');
    }
  }

  /// mosquitto_sub 2.0.11 and 2.1 know no width of %D and %P, and forget that of %R where there is none, so that a
  /// table loses its columns. Ours keep them.
  void text_property(std::uint8_t identifier, const Format::Part& part) {
    const Property* property = find(identifier);
    text(property != nullptr ? std::string_view(property->text) : std::string_view{}, part);
  }

  [[nodiscard]] std::string user_properties() const {
    std::string all;
    for (const Property& property : message_.properties) {
      if (property.identifier == user_property) {
        fmt::format_to(std::back_inserter(all), "{}{}:{}", all.empty() ? "" : " ", property.name, property.text);
      }
    }
    return all;
  }

  [[nodiscard]] const Property* find(std::uint8_t identifier) const {
    const auto& all = message_.properties;
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const Property& one) { return one.identifier == identifier; });
    return found == all.end() ? nullptr : &*found;
  }

  /// The width cuts a payload, too: not as mosquitto_sub's manual has it, but as it does.
  [[nodiscard]] std::string_view cut_payload(const Format::Part& part) const {
    return std::string_view(message_.payload).substr(0, part.width > 0 ? part.width : std::string::npos);
  }

  /// (mosquitto_sub has %-p followed by as many spaces as the payload has bytes. We have not.)
  void payload(const Format::Part& part) { padded(harmless(cut_payload(part)), part, part.zero ? '0' : ' '); }

  /// A stranger's text as it may be shown where this goes. Lines stay lines: that a payload has several is no harm.
  [[nodiscard]] std::string_view harmless(std::string_view text) {
    if (!spells_out_) {
      return text;
    }
    spelled_out_ = shown(text, TextLines::several);
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
    const int precision = static_cast<int>(part.precision.value_or(6));
    const int width = static_cast<int>(part.width);
    if (part.left) {
      fmt::format_to(out(), "{:<{}.{}f}", static_cast<double>(value), width, precision);
    } else if (part.zero) {
      fmt::format_to(out(), "{:0{}.{}f}", static_cast<double>(value), width, precision);
    } else {
      fmt::format_to(out(), "{:>{}.{}f}", static_cast<double>(value), width, precision);
    }
    return std::nullopt;
  }

  const Message& message_;
  const bool pretty_;
  const bool spells_out_;
  std::string spelled_out_;
  std::string& out_;
  std::optional<Moment> moment_;
};

}  // namespace

Format Format::payload(bool newline) { return {Style::payload, newline}; }

Format Format::verbose(bool newline) { return {Style::verbose, newline}; }

Format Format::of(std::string_view format, bool pretty, bool newline) {
  Format compiled{Style::parts, newline};
  compiled.pretty_ = pretty;
  compiled.parts_ = Compiler{format}.compile();
  return compiled;
}

std::optional<std::string_view> Format::append(const Message& message, std::string& out) const {
  const std::size_t before = out.size();
  if (style_ == Style::parts) {
    Rendering rendering{message, pretty_, spells_out_, out};
    for (const Part& part : parts_) {
      if (const Fault fault = rendering.append(part)) {
        out.resize(before);
        return fault;
      }
    }
  } else if (message.payload.empty()) {
    if (style_ == Style::payload || !newline_) {
      return std::nullopt;
    }
    out.append(message.topic).append(" (null)");
  } else {
    if (style_ == Style::verbose) {
      out.append(message.topic).append(" ");
    }
    out += message.payload;
  }
  if (newline_) {
    out += '\n';
  }
  return std::nullopt;
}

}  // namespace sistem
