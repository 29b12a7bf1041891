#include "common/text/screen_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <span>

#include "common/text/encoding.hpp"

namespace sistem {
namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

bool is_in(std::span<const Range> ranges, std::uint32_t point) {
  return std::ranges::any_of(ranges, [&](const Range& range) { return point >= range.first && point <= range.last; });
}

/// Control characters, line separators, and marks of direction: a right-to-left override makes "txt.exe" of "exe.txt".
constexpr Range acting[] = {{0x00, 0x1F},     {0x7F, 0x9F},     {0x061C, 0x061C}, {0x200E, 0x200F},
                            {0x2028, 0x202E}, {0x2066, 0x206F}, {0xFEFF, 0xFEFF}};

constexpr Range combining[] = {{0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD},  {0x0610, 0x061A},
                               {0x064B, 0x065F}, {0x0E31, 0x0E31}, {0x0E34, 0x0E3A},  {0x0E47, 0x0E4E},
                               {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200D},  {0x20D0, 0x20FF},
                               {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xE0100, 0xE01EF}};

constexpr Range wide[] = {{0x1100, 0x115F},  {0x2E80, 0x303E},   {0x3041, 0xA4CF},   {0xA960, 0xA97F},
                          {0xAC00, 0xD7A3},  {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},
                          {0xFFE0, 0xFFE6},  {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1FAFF},
                          {0x20000, 0x3FFFD}};

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
    const Character one = take_character(bytes);
    const bool may_stay = lines == TextLines::several && (one.point == '\n' || one.point == '\t');
    if (!one.is_utf8) {
      fmt::format_to(std::back_inserter(text), "\\x{:02x}", one.point);
    } else if (is_in(acting, one.point) && !may_stay) {
      append_spelled(one.point, text);
    } else {
      text += one.bytes;
    }
  }
  return text;
}

std::size_t columns_of(std::string_view shown) {
  std::size_t columns = 0;
  while (!shown.empty()) {
    columns += columns_of_point(take_character(shown).point);
  }
  return columns;
}

std::string fitted(std::string_view shown, std::size_t columns) {
  std::string text;
  std::size_t taken = 0;
  const std::size_t wanted = columns_of(shown);
  const std::size_t limit = wanted <= columns ? columns : columns - std::min<std::size_t>(columns, 1);
  while (!shown.empty()) {
    const Character one = take_character(shown);
    const std::size_t next = columns_of_point(one.point);
    if (taken + next > limit) {
      break;
    }
    text += one.bytes;
    taken += next;
  }
  if (wanted > columns && columns > 0) {
    text += "…";
    ++taken;
  }
  return text.append(columns - taken, ' ');
}

}  // namespace sistem
