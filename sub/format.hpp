#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/message.hpp"

namespace sistem {

/// How a message is printed: compiled once, then nothing but bytes made of messages. Times are those of arrival, in the
/// process's time zone. What it prints is what mosquitto_sub prints, byte for byte; where we do otherwise for a reason,
/// format.cpp says so.
class Format {
 public:
  /// The payload alone; nothing at all where it is empty. A newline follows, or with -N none.
  [[nodiscard]] static Format payload(bool newline);

  /// Topic, space and payload, or "(null)" where it is empty; without newlines nothing then.
  [[nodiscard]] static Format verbose(bool newline);

  /// What -F says: text with sequences that begin with %, @ and \. `pretty` spreads JSON over several lines. Throws
  /// Expected, which says at which character of `format`, counted from 1, the sequence begins that is wrong.
  [[nodiscard]] static Format of(std::string_view format, bool pretty, bool newline);

  /// Appends the message to `out`. Where it has no such form (%J of what is no JSON, %f and %d of another number of
  /// bytes), appends nothing and says why: "its payload is no JSON".
  [[nodiscard]] std::optional<std::string_view> append(const Message& message, std::string& out) const;

  /// From here on control characters that a message brings are spelled out, where text goes to a terminal; those of the
  /// format itself stay.
  void spell_out_controls() { spells_out_ = true; }

  /// A piece of a format: text as it is, or a sequence to be replaced.
  struct Part {
    enum class Kind { text, field, time };
    Kind kind = Kind::text;
    char letter = 0;        ///< after % or @
    bool left = false;      ///< the flag -
    bool zero = false;      ///< the flag 0
    std::size_t width = 0;  ///< at least so many bytes; the payload: also at most
    std::optional<std::size_t> precision;
    char separator = ' ';  ///< between groups of hexadecimal digits
    std::string text;
  };

 private:
  enum class Style { payload, verbose, parts };

  Format(Style style, bool newline) : style_(style), newline_(newline) {}

  Style style_;
  bool newline_;
  bool pretty_ = false;
  bool spells_out_ = false;
  std::vector<Part> parts_;
};

}  // namespace sistem
