#include "sub/match/condition.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <system_error>
#include <utility>

#include "common/text/words.hpp"

namespace sistem {
namespace {

using Operator = JsonCondition::Operator;
using Scalar = JsonCondition::Scalar;

constexpr std::string_view blanks = " \t\n";

/// Longer ones first: > begins >=, too.
constexpr std::array<std::pair<std::string_view, Operator>, 8> operators{{{"==", Operator::equal},
                                                                          {"!=", Operator::unequal},
                                                                          {"<=", Operator::at_most},
                                                                          {">=", Operator::at_least},
                                                                          {"<", Operator::less},
                                                                          {">", Operator::greater},
                                                                          {"~", Operator::matches},
                                                                          {"contains ", Operator::contains}}};

/// Nothing of an object or an array.
std::optional<Scalar> scalar_of(std::string_view json) {
  switch (json.front()) {
    case '{':
    case '[': return std::nullopt;
    case '"': return unquoted(json);
    case 't': return true;
    case 'f': return false;
    case 'n': return std::monostate{};
    default: break;
  }
  long double number = 0;
  const auto [end, error] = std::from_chars(json.data(), json.data() + json.size(), number);
  if (error == std::errc::result_out_of_range) {
    const bool is_tiny = json.find("e-") != std::string_view::npos || json.find("E-") != std::string_view::npos;
    number = is_tiny ? 0 : std::numeric_limits<long double>::infinity();
    number = json.starts_with('-') ? -number : number;
  }
  return number;
}

/// Reads an expression from its front to its end.
class Reader {
 public:
  explicit Reader(std::string_view expression) : scanner_(expression) { skip_blanks(); }

  JsonPath path() {
    Scanner ahead = scanner_;
    const std::string_view path = ahead.take_until(" \t\n=!<>~");
    if (path.empty()) {
      scanner_.fail("the way to a field, as suhu or sensors.0.value,");
    }
    try {
      JsonPath read{path};
      take(path.size());
      return read;
    } catch (const Expected& expected) {
      scanner_.fail(expected);
    }
  }

  Operator comparison() {
    if (scanner_.at_end()) {
      return Operator::exists;
    }
    const auto* const found = std::find_if(operators.begin(), operators.end(),
                                           [&](const auto& one) { return scanner_.rest().starts_with(one.first); });
    if (found == operators.end()) {
      scanner_.fail("==, !=, <, <=, >, >=, ~ or contains");
    }
    take(found->first.size());
    return found->second;
  }

  Scalar value(Operator of) {
    const bool has_order = of != Operator::equal && of != Operator::unequal && of != Operator::contains;
    std::string_view json = scanner_.rest();
    const auto scalar = !json.empty() && take_json(json) ? scalar_of(json) : std::nullopt;
    const bool is_ordered =
        scalar && (std::holds_alternative<long double>(*scalar) || std::holds_alternative<std::string>(*scalar));
    if (has_order && !is_ordered) {
      scanner_.fail("a number, or text in double quotes,");
    }
    if (!scalar) {
      scanner_.fail("a number, true, false, null, or text in double quotes,");
    }
    return *scalar;
  }

  Pattern pattern() {
    if (scanner_.at_end()) {
      scanner_.fail("a regular expression");
    }
    try {
      return Pattern{scanner_.rest()};
    } catch (const Expected& expected) {
      scanner_.fail(expected);
    }
  }

 private:
  void skip_blanks() {
    const std::string_view rest = scanner_.rest();
    scanner_.take_bytes(std::min(rest.find_first_not_of(blanks), rest.size()));
  }

  void take(std::size_t count) {
    scanner_.take_bytes(count);
    skip_blanks();
  }

  Scanner scanner_;
};

bool contains(std::string_view json, const Scalar& value) {
  const auto* const text = std::get_if<std::string>(&value);
  switch (json.front()) {
    case '"': return text != nullptr && unquoted(json).find(*text) != std::string::npos;
    case '{': return text != nullptr && json_member(json, *text);
    default: break;
  }
  const auto elements = json_elements(json);
  return std::any_of(elements.begin(), elements.end(),
                     [&](std::string_view element) { return scalar_of(element) == value; });
}

std::string_view without_blanks_behind(std::string_view text) {
  const std::size_t last = text.find_last_not_of(blanks);
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

re2::RE2::Options silent() {
  re2::RE2::Options options;
  options.set_log_errors(false);  // we say it ourselves
  return options;
}

}  // namespace

Pattern::Pattern(std::string_view regex) : regex_(std::make_shared<const re2::RE2>(std::string(regex), silent())) {
  if (!regex_->ok()) {
    throw Expected(fmt::format("expected a regular expression: {}", shortened(regex_->error())));
  }
}

// RE2 has a string_view of its own, which in Debian 13 is Abseil's and is not made of the standard's.
bool Pattern::matches_in(std::string_view bytes) const {
  return re2::RE2::PartialMatch({bytes.data(), bytes.size()}, *regex_);
}

JsonCondition::JsonCondition(std::string_view expression) : path_(".") {
  Reader reader{without_blanks_behind(expression)};
  path_ = reader.path();
  operator_ = reader.comparison();
  if (operator_ == Operator::matches) {
    pattern_ = reader.pattern();
  } else if (operator_ != Operator::exists) {
    value_ = reader.value(operator_);
  }
}

bool JsonCondition::holds(std::string_view payload) const {
  const auto value = take_json(payload) ? path_.find(payload) : std::nullopt;
  if (!value) {
    return false;
  }
  switch (operator_) {
    case Operator::exists: return true;
    case Operator::contains: return contains(*value, value_);
    case Operator::matches: return pattern_->matches_in(value->front() == '"' ? unquoted(*value) : std::string(*value));
    default: break;
  }
  const auto scalar = scalar_of(*value);
  const bool is_comparable = scalar && scalar->index() == value_.index();
  switch (operator_) {
    case Operator::equal: return scalar == value_;
    case Operator::unequal: return scalar != value_;
    case Operator::less: return is_comparable && *scalar < value_;
    case Operator::at_most: return is_comparable && *scalar <= value_;
    case Operator::greater: return is_comparable && *scalar > value_;
    default: return is_comparable && *scalar >= value_;
  }
}

}  // namespace sistem
