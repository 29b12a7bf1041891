#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "sub/match/json_text.hpp"
#include "sub/match/pattern.hpp"

namespace sistem {

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
  [[nodiscard]] bool holds_for(std::string_view value) const;

  JsonPath path_;
  Operator operator_ = Operator::exists;
  Scalar value_;
  std::optional<Pattern> pattern_;
};

}  // namespace sistem
