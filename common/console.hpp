#pragma once

#include <string>
#include <string_view>

namespace sistem {

/// What is said to a person, on stderr: stdout carries messages and nothing else.
/// Each call writes one whole line at once, so that lines of several threads never mix.
class Console {
 public:
  /// `tool` begins every line; `debug` decides whether debug() says anything.
  Console(std::string tool, bool debug) : tool_(std::move(tool)), debug_(debug) {}

  void note(std::string_view line) const;
  /// Only with -d: the line begins with the time of day.
  void debug(std::string_view line) const;
  /// True where debug() speaks: ask before composing a line that costs something.
  [[nodiscard]] bool debugging() const { return debug_; }

 private:
  std::string tool_;
  bool debug_;
};

}  // namespace sistem
