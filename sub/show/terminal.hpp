#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/process/output.hpp"

namespace sistem {

/// How many colours a terminal has.
enum class Palette : std::uint8_t { none, few, many };

/// What the environment says of it: none where NO_COLOR has a value (no-color.org) or TERM is dumb.
[[nodiscard]] Palette palette_of(const std::map<std::string, std::string>& environment);

/// Gives texts the look that a terminal shows: each is bracketed by what switches it on and off again. Without colours
/// nothing is added.
class Paint {
 public:
  explicit Paint(Palette palette) : palette_(palette) {}

  /// In the topic's colour: always the same one, wherever and whenever the topic is shown.
  [[nodiscard]] std::string topic(std::string_view topic, std::string_view text) const;
  /// In a colour that differs from those of the first `series_colours` other numbers.
  [[nodiscard]] std::string series(std::size_t number, std::string_view text) const;
  static constexpr std::size_t series_colours = 6;
  /// What is less important, and more.
  [[nodiscard]] std::string dim(std::string_view text) const { return with("2", text); }
  [[nodiscard]] std::string bold(std::string_view text) const { return with("1", text); }

  [[nodiscard]] bool has_colours() const { return palette_ != Palette::none; }

 private:
  [[nodiscard]] std::string with(std::string_view look, std::string_view text) const;
  [[nodiscard]] std::string in(unsigned colour, std::string_view text) const;

  Palette palette_;
};

/// A picture on a terminal that is drawn again and again in its place. Gives the bytes that do it.
///
/// Between two drawings the cursor, hidden, stands in an empty line above the picture. So what somebody else writes to
/// the terminal meanwhile (a note on stderr, a key that is echoed) is seen there, and moves the picture down instead of
/// through; and wherever a resized terminal puts the lines of the old picture, they are below the cursor and erased.
class Canvas {
 public:
  /// Draws the lines over what was drawn before, as many and as much of each as there is room for.
  [[nodiscard]] std::string draw(const std::vector<std::string>& lines, TerminalSize size);

  /// Leaves the picture where it is, with the cursor, which is seen again, below it. Nothing where none was drawn since
  /// the last call.
  [[nodiscard]] std::string leave();

 private:
  bool is_drawn_ = false;
  std::size_t height_ = 0;  ///< of the picture with the line above it
};

}  // namespace sistem
