#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>

#include "common/text/words.hpp"
#include "sub/show/format.hpp"

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
  explicit Compiler(std::string_view format) : scanner_(format) {}

  std::vector<Format::Part> compile() {
    while (!scanner_.at_end()) {
      text(scanner_.take_until("%@\\"));
      begin_ = scanner_.position();
      if (scanner_.take("%")) {
        field();
      } else if (scanner_.take("@")) {
        time();
      } else if (scanner_.take("\\")) {
        escape();
      }
    }
    return std::move(parts_);
  }

 private:
  void text(std::string_view bytes) {
    if (!bytes.empty() && (parts_.empty() || parts_.back().kind != Format::Part::Kind::text)) {
      parts_.emplace_back();
    }
    if (!bytes.empty()) {
      parts_.back().text += bytes;
    }
  }

  /// A byte of the sequence that has begun; throws where the format ends before it.
  char take(std::string_view expected) {
    if (scanner_.at_end()) {
      fail(expected);
    }
    return scanner_.take_bytes(1).front();
  }

  std::size_t number() {
    std::size_t value = 0;
    const std::string_view digits = scanner_.take_digits();
    const auto error = std::from_chars(digits.data(), digits.data() + digits.size(), value).ec;
    if (error == std::errc::result_out_of_range || value > widest) {
      fail("a width and a precision of at most 9999 in the sequence");
    }
    return value;
  }

  void field() {
    constexpr auto expected =
        "A, C, D, E, F, I, J, P, R, S, U, X, d, f, j, l, m, p, q, r, t, x, % or {NAME} after the %";
    Format::Part part;
    part.kind = Format::Part::Kind::field;
    part.left = scanner_.take("-");
    part.zero = scanner_.take("0");
    part.width = number();
    if (scanner_.take(".")) {
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
      text("%");
    } else if (letters.find(part.letter) == std::string_view::npos) {
      fail(expected);
    } else if (separated && part.letter != 'x' && part.letter != 'X') {
      fail("a separator only with x and X in the sequence");
    } else {
      parts_.push_back(std::move(part));
    }
  }

  /// Whether a name in braces follows. Behind a precision { may also be what mosquitto_sub 2.1 puts between groups of
  /// hexadecimal digits.
  bool takes_name(bool behind_precision) {
    const std::string_view left = scanner_.rest();
    const bool is_separator = behind_precision && (left.starts_with("{x") || left.starts_with("{X"));
    return !is_separator && scanner_.take("{");
  }

  void named(Format::Part& part) {
    const std::string_view name = scanner_.take_until("}");
    if (!scanner_.take("}")) {
      fail("a } after the name in the sequence");
    }
    part.kind = Format::Part::Kind::named;
    if (name.starts_with(json_name)) {
      part.name = Name::json;
      try {
        part.field.emplace(name.substr(json_name.size()));
      } catch (const Expected& expected) {
        scanner_.fail_at(begin_, Expected(fmt::format("{} after json: in the sequence", expected.what())));
      }
      return;
    }
    const auto* const found = std::find_if(names_in_braces.begin(), names_in_braces.end(),
                                           [&](const auto& known) { return known.first == name; });
    if (found == names_in_braces.end()) {
      fail("base64, delta, json:FIELD, latency, n, seq or time in the braces of the sequence");
    }
    part.name = found->second;
  }

  void time() {
    const char letter = take("a letter of strftime, N or @ after the @");
    if (letter == '@') {
      text("@");
    } else {
      Format::Part& part = parts_.emplace_back();
      part.kind = Format::Part::Kind::time;
      part.letter = letter;
    }
  }

  void escape() {
    constexpr auto expected = "0, a, e, n, r, t, v or \\ after the \\";
    constexpr std::string_view names = "\\0aenrtv";
    constexpr std::string_view meanings{"\\\0\a\x1B\n\r\t\v", 8};
    const std::size_t which = names.find(take(expected));
    if (which == std::string_view::npos) {
      fail(expected);
    }
    text(meanings.substr(which, 1));
  }

  /// Complains about the sequence that has begun.
  [[noreturn]] void fail(std::string_view expected) const { scanner_.fail_at(begin_, expected); }

  static constexpr std::size_t widest = 9999;

  Scanner scanner_;
  std::size_t begin_ = 0;  ///< of the sequence
  std::vector<Format::Part> parts_;
};

}  // namespace

std::vector<Format::Part> Format::compiled(std::string_view format) { return Compiler{format}.compile(); }

}  // namespace sistem
