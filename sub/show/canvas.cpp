#include "sub/show/canvas.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/text/encoding.hpp"
#include "common/text/screen_text.hpp"

namespace sistem {
namespace {

// What a terminal is told [ECMA-48].
constexpr std::string_view hide_cursor = "\x1b[?25l";
constexpr std::string_view show_cursor = "\x1b[?25h";
constexpr std::string_view erase_line = "\x1b[K";
constexpr std::string_view erase_below = "\x1b[J";

/// As much of a line as fits; what changes its look takes no room, and is passed on also behind the cut.
std::string clipped(std::string_view line, std::size_t columns) {
  std::string text;
  std::size_t taken = 0;
  while (!line.empty()) {
    if (line.front() == '\x1b') {
      const std::size_t length = std::min(line.find('m'), line.size() - 1) + 1;
      text += line.substr(0, length);
      line.remove_prefix(length);
      continue;
    }
    const std::string_view character = take_character(line).bytes;
    taken += columns_of(character);
    text += taken <= columns ? character : std::string_view{};
  }
  return text;
}

}  // namespace

std::string Canvas::draw(const std::vector<std::string>& lines, TerminalSize size) {
  const std::size_t count = std::min(lines.size(), size.rows - std::min<std::size_t>(size.rows, 1));
  std::string bytes{is_drawn_ ? std::string_view{} : hide_cursor};
  bytes.append("\r").append(erase_line);
  for (std::size_t at = 0; at < count; ++at) {
    // Erased first: behind a line that fills the terminal that would take its last character.
    bytes.append("\n")
        .append(erase_line)
        .append(clipped(lines[at], size.columns - std::min<std::size_t>(size.columns, 1)));
  }
  bytes += erase_below;
  bytes += count > 0 ? fmt::format("\x1b[{}A\r", count) : "\r";
  is_drawn_ = true;
  height_ = count;
  return bytes;
}

std::string Canvas::leave() {
  if (!is_drawn_) {
    return {};
  }
  is_drawn_ = false;
  return (height_ > 0 ? fmt::format("\x1b[{}B", height_) : std::string{}).append("\r\n").append(show_cursor);
}

}  // namespace sistem
