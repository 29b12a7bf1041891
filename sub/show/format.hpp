#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/mqtt/message.hpp"
#include "sub/match/json_text.hpp"

namespace sistem {

/// What follows each message.
enum class End : std::uint8_t { newline, nul, nothing };

/// Where a message stands among those that are printed: all that its form says and it does not know itself.
struct Position {
  std::uint64_t number = 1;                ///< from 1
  std::chrono::nanoseconds since_last{0};  ///< from the arrival of the one before, by the clock that never jumps
};

/// How a message is printed: compiled once, then nothing but bytes made of messages. Times are those of arrival, in the
/// process's time zone. What it prints is what mosquitto_sub prints, byte for byte; where we do otherwise for a reason,
/// format.cpp says so.
class Format {
 public:
  enum class Style {
    payload,   ///< the payload alone; nothing at all where it is empty
    verbose,   ///< topic, space and payload, or "(null)" where it is empty; where nothing follows, nothing then
    json,      ///< the line that common/mqtt/record.hpp has
    hex_dump,  ///< the topic, then 16 bytes of the payload a line: where they stand, in hexadecimal, and as ASCII
    csv,    ///< time, topic, qos, retain, payload, payload_base64, of which one is empty [RFC 4180, but for line ends]
    parts,  ///< what -F says
  };

  /// One of those that are known by a name. `end` follows each message.
  Format(Style style, End end) : style_(style), end_(end) {}

  /// What -F says: text with sequences that begin with %, @ and \. `pretty` spreads JSON over several lines. Throws
  /// Expected, which says at which character of `format`, counted from 1, the sequence begins that is wrong.
  Format(std::string_view format, bool pretty, End end);

  /// What is printed before the first message: the heading of a table.
  [[nodiscard]] std::string_view heading() const;

  /// Appends the message to `out`. Where it has no such form (%J of what is no JSON, %f and %d of another number of
  /// bytes), appends nothing and says why: "its payload is no JSON".
  [[nodiscard]] std::optional<std::string_view> append(const Message& message, const Position& position,
                                                       std::string& out) const;

  /// From here on what a message brings is shown(), as it is on a terminal; the format's own characters stay. A message
  /// is then one line, of a format that makes it one: its line ends are spelled out too, but for those of a payload
  /// that stands alone and is followed by no newline, which no line of another message can be taken for.
  void spell_out_controls() { spells_out_ = true; }

  /// A piece of a format: text as it is, or a sequence to be replaced.
  struct Part {
    enum class Kind { text, field, time, named };
    enum class Name { base64, delta, json, latency, n, seq, time };
    Kind kind = Kind::text;
    Name name = Name::n;            ///< in braces
    std::optional<JsonPath> field;  ///< behind json:
    char letter = 0;                ///< after % or @
    bool left = false;              ///< the flag -
    bool zero = false;              ///< the flag 0
    std::size_t width = 0;          ///< at least so many bytes; the payload: also at most
    std::optional<std::size_t> precision;
    char separator = ' ';  ///< between groups of hexadecimal digits
    std::string text;
  };

 private:
  /// The parts of a format string. Throws Expected, with the place of what is wrong.
  [[nodiscard]] static std::vector<Part> compiled(std::string_view format);

  [[nodiscard]] std::optional<std::string_view> append_form(const Message& message, const Position& position,
                                                            std::string& out) const;

  Style style_;
  End end_;
  bool pretty_ = false;
  bool spells_out_ = false;
  std::vector<Part> parts_;
};

}  // namespace sistem
