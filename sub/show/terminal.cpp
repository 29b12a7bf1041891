#include "sub/show/terminal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/text/encoding.hpp"
#include "common/text/random.hpp"
#include "common/text/screen_text.hpp"

namespace sistem {
namespace {

// Readable on a dark and on a light background: neither near black nor near white, no pure blue, no yellow.
constexpr std::array<unsigned, 17> many_colours{33,  37,  61,  65,  68,  71,  97,  101, 130,
                                                132, 133, 136, 137, 139, 166, 167, 173};
constexpr std::array<unsigned, 6> few_colours{6, 2, 5, 3, 4, 1};

// Far from each other, for lines that cross.
constexpr std::array<unsigned, Paint::series_colours> series_of_many{33, 166, 71, 133, 136, 37};

std::string value_of(const std::map<std::string, std::string>& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string{} : found->second;
}

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

Palette palette_of(const std::map<std::string, std::string>& environment) {
  const std::string terminal = value_of(environment, "TERM");
  if (!value_of(environment, "NO_COLOR").empty() || terminal == "dumb") {
    return Palette::none;
  }
  const bool has_many = terminal.find("256color") != std::string::npos || !value_of(environment, "COLORTERM").empty();
  return has_many ? Palette::many : Palette::few;
}

std::string Paint::topic(std::string_view topic, std::string_view text) const {
  const std::uint64_t hash = hash_of(topic) >> 18U;  // so the lab's topics get colours that differ
  return in(
      palette_ == Palette::many ? many_colours[hash % many_colours.size()] : few_colours[hash % few_colours.size()],
      text);
}

std::string Paint::series(std::size_t number, std::string_view text) const {
  return in(palette_ == Palette::many ? series_of_many[number % series_colours] : few_colours[number % series_colours],
            text);
}

std::string Paint::in(unsigned colour, std::string_view text) const {
  return with(palette_ == Palette::many ? fmt::format("38;5;{}", colour) : fmt::format("{}", 30 + colour), text);
}

std::string Paint::with(std::string_view look, std::string_view text) const {
  return palette_ == Palette::none || text.empty() ? std::string(text) : fmt::format("\x1b[{}m{}\x1b[0m", look, text);
}

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
