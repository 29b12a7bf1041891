#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sistem {

// JSON as the text that it is: what is taken out of it or laid out anew keeps its spelling, so that 27.0 does not
// become 27, nor a long number a shorter one. Nothing here takes a stack that grows with what a stranger sends.

/// Tells whether `text` is JSON as the standard has it [RFC 8259], but for a byte order mark, which is cut off.
[[nodiscard]] bool take_json(std::string_view& text);

/// Appends JSON with other spaces between its tokens: none, or as mosquitto_sub's --pretty does. False, and nothing is
/// appended, where it is nested deeper than 1000, where mosquitto_sub ends too.
[[nodiscard]] bool append_laid_out(std::string_view json, bool pretty, std::string& out);

/// What a JSON string, with its quotation marks, says.
[[nodiscard]] std::string unquoted(std::string_view string);

/// The value of an object's member (of several with that name, the last), or of the element of an array with that
/// number, from 0. Nothing where there is none.
[[nodiscard]] std::optional<std::string_view> json_member(std::string_view json, std::string_view name);

/// The elements of an array; none of anything else.
[[nodiscard]] std::vector<std::string_view> json_elements(std::string_view json);

/// The way to a value inside of another: "sensors.0.value" into objects by names and into arrays by numbers; "." is all
/// of it.
class JsonPath {
 public:
  /// Throws Expected for a name that is missing.
  explicit JsonPath(std::string_view path);

  /// What stands there in what is known to be JSON.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view json) const;

 private:
  std::vector<std::string> names_;
};

}  // namespace sistem
