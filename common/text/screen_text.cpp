#include "common/text/screen_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

#include "common/text/encoding.hpp"

namespace sistem {
namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

template <std::size_t Count>
bool is_in(const std::array<Range, Count>& ranges, std::uint32_t point) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const Range& range) { return point >= range.first && point <= range.last; });
}

/// Control characters, line separators, and marks of direction: a right-to-left override makes "txt.exe" of "exe.txt".
constexpr std::array acting{Range{0x00, 0x1F},     Range{0x7F, 0x9F},     Range{0x061C, 0x061C}, Range{0x200E, 0x200F},
                            Range{0x2028, 0x202E}, Range{0x2066, 0x206F}, Range{0xFEFF, 0xFEFF}};

constexpr std::array combining{Range{0x0300, 0x036F}, Range{0x0483, 0x0489}, Range{0x0591, 0x05BD},
                               Range{0x0610, 0x061A}, Range{0x064B, 0x065F}, Range{0x0E31, 0x0E31},
                               Range{0x0E34, 0x0E3A}, Range{0x0E47, 0x0E4E}, Range{0x1AB0, 0x1AFF},
                               Range{0x1DC0, 0x1DFF}, Range{0x200B, 0x200D}, Range{0x20D0, 0x20FF},
                               Range{0xFE00, 0xFE0F}, Range{0xFE20, 0xFE2F}, Range{0xE0100, 0xE01EF}};

constexpr std::array wide{Range{0x1100, 0x115F},   Range{0x2E80, 0x303E},   Range{0x3041, 0xA4CF},
                          Range{0xA960, 0xA97F},   Range{0xAC00, 0xD7A3},   Range{0xF900, 0xFAFF},
                          Range{0xFE30, 0xFE6F},   Range{0xFF00, 0xFF60},   Range{0xFFE0, 0xFFE6},
                          Range{0x1F300, 0x1F64F}, Range{0x1F680, 0x1F6FF}, Range{0x1F900, 0x1FAFF},
                          Range{0x20000, 0x3FFFD}};

std::size_t columns_of_point(std::uint32_t point) {
  constexpr std::uint32_t first_combining = 0x0300;
  if (point < first_combining) {
    return 1;
  }
  return is_in(combining, point) ? 0 : is_in(wide, point) ? 2 : 1;
}

void append_spelled(std::uint32_t point, std::string& out) {
  constexpr std::uint32_t first_of_unicode = 0x7F;  // DEL so, too: JSON has no \x7f
  switch (point) {
    case '\n': out += "\\n"; break;
    case '\r': out += "\\r"; break;
    case '\t': out += "\\t"; break;
    default:
      if (point < first_of_unicode) {
        fmt::format_to(std::back_inserter(out), "\\x{:02x}", point);
      } else {
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", point);
      }
  }
}

bool is_plain(char c) { return c >= ' ' && c < 0x7F; }

}  // namespace

std::string shown(std::string_view bytes, TextLines lines) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    if (is_plain(bytes.front())) {
      const auto* const end = std::find_if_not(bytes.begin(), bytes.end(), is_plain);
      text.append(bytes.begin(), end);
      bytes.remove_prefix(static_cast<std::size_t>(end - bytes.begin()));
      continue;
    }
    const std::size_t length = utf8_sequence(bytes);
    if (length == 0) {
      fmt::format_to(std::back_inserter(text), "\\x{:02x}", static_cast<unsigned char>(bytes.front()));
      bytes.remove_prefix(1);
      continue;
    }
    const std::string_view sequence = bytes.substr(0, length);
    const std::uint32_t point = code_point(sequence);
    const bool may_stay = lines == TextLines::several && (point == '\n' || point == '\t');
    if (is_in(acting, point) && !may_stay) {
      append_spelled(point, text);
    } else {
      text += sequence;
    }
    bytes.remove_prefix(length);
  }
  return text;
}

std::size_t columns_of(std::string_view shown) {
  std::size_t columns = 0;
  while (!shown.empty()) {
    const std::size_t length = std::max<std::size_t>(utf8_sequence(shown), 1);
    columns += columns_of_point(code_point(shown.substr(0, length)));
    shown.remove_prefix(length);
  }
  return columns;
}

std::string fitted(std::string_view shown, std::size_t columns) {
  std::string text;
  std::size_t taken = 0;
  const std::size_t wanted = columns_of(shown);
  const std::size_t limit = wanted <= columns ? columns : columns - std::min<std::size_t>(columns, 1);
  while (!shown.empty()) {
    const std::size_t length = std::max<std::size_t>(utf8_sequence(shown), 1);
    const std::size_t next = columns_of_point(code_point(shown.substr(0, length)));
    if (taken + next > limit) {
      break;
    }
    text += shown.substr(0, length);
    taken += next;
    shown.remove_prefix(length);
  }
  if (wanted > columns && columns > 0) {
    text += "…";
    ++taken;
  }
  return text.append(columns - taken, ' ');
}

}  // namespace sistem
