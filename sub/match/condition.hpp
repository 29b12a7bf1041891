#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "sub/match/json_text.hpp"

namespace re2 {
class RE2;
}

namespace sistem {

/// A regular expression as RE2 has them: it takes time in proportion to what it reads, whatever a stranger sends.
class Pattern {
 public:
  /// Throws Expected, with RE2's reason, for what is none.
  explicit Pattern(std::string_view regex);

  /// Whether it matches somewhere in the bytes, which need not be text.
  [[nodiscard]] bool matches_in(std::string_view bytes) const;

 private:
  std::shared_ptr<const re2::RE2> regex_;
};

/// What --json-match asks of a JSON payload: "suhu > 30", "sensors.0.state == \"on\"", "tags contains \"lab\"",
/// "name ~ ^lab", or "suhu" alone: that there is one.
class JsonCondition {
 public:
  /// Throws Expected, which says at which character of `expression`, counted from 1, it is wrong.
  explicit JsonCondition(std::string_view expression);

  /// Whether it holds for a payload; not for one that is no JSON, or has no such field. Numbers are smaller and greater
  /// than numbers, texts than texts, byte by byte; two values of different kinds are unequal and nothing else.
  [[nodiscard]] bool holds(std::string_view payload) const;

  /// A value that holds no others; of numbers as much as 64 bits do.
  using Scalar = std::variant<std::monostate, bool, long double, std::string>;
  enum class Operator : std::uint8_t { exists, equal, unequal, less, at_most, greater, at_least, contains, matches };

 private:
  JsonPath path_;
  Operator operator_ = Operator::exists;
  Scalar value_;
  std::optional<Pattern> pattern_;
};

}  // namespace sistem
