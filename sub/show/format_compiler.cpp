#include "sub/show/format_compiler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "common/text/words.hpp"

namespace sistem {
namespace {

constexpr std::string_view letters = "ACDEFIJPRSUXdfjlmpqrtx";

using Name = Format::Part::Name;

/// What stands in braces.
constexpr std::array<std::pair<std::string_view, Name>, 6> names_in_braces{{{"base64", Name::base64},
                                                                            {"delta", Name::delta},
                                                                            {"latency", Name::latency},
                                                                            {"n", Name::n},
                                                                            {"seq", Name::seq},
                                                                            {"time", Name::time}}};
constexpr std::string_view json_name = "json:";

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
        "expected A, C, D, E, F, I, J, P, R, S, U, X, d, f, j, l, m, p, q, r, t, x, % or {NAME} after the %";
    Format::Part part;
    part.kind = Format::Part::Kind::field;
    part.left = takes('-');
    part.zero = takes('0');
    part.width = number();
    if (takes('.')) {
      part.precision = number();
    }
    if (takes_name(part.precision.has_value())) {
      named(part);
      parts_.push_back(std::move(part));
      return;
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

  /// Whether a name in braces follows. Behind a precision { may also be what mosquitto_sub 2.1 puts between groups of
  /// hexadecimal digits.
  bool takes_name(bool behind_precision) {
    const std::string_view left = format_.substr(at_);
    const bool is_separator = behind_precision && (left.starts_with("{x") || left.starts_with("{X"));
    return !is_separator && takes('{');
  }

  void named(Format::Part& part) {
    const std::size_t end = format_.find('}', at_);
    if (end == std::string_view::npos) {
      fail("expected a } after the name in the sequence");
    }
    const std::string_view name = format_.substr(at_, end - at_);
    at_ = end + 1;
    part.kind = Format::Part::Kind::named;
    if (name.starts_with(json_name)) {
      part.name = Name::json;
      try {
        part.field.emplace(name.substr(json_name.size()));
      } catch (const Expected& expected) {
        fail(fmt::format("{} after json: in the sequence", expected.what()));
      }
      return;
    }
    const auto* const found = std::find_if(names_in_braces.begin(), names_in_braces.end(),
                                           [&](const auto& known) { return known.first == name; });
    if (found == names_in_braces.end()) {
      fail("expected base64, delta, json:FIELD, latency, n, seq or time in the braces of the sequence");
    }
    part.name = found->second;
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
  [[noreturn]] void fail(std::string_view expected) const {
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

}  // namespace

std::vector<Format::Part> compiled(std::string_view format) { return Compiler{format}.compile(); }

}  // namespace sistem
