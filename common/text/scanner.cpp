#include "common/text/scanner.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sistem {

bool Scanner::take(std::string_view bytes) {
  if (!rest().starts_with(bytes)) {
    return false;
  }
  at_ += bytes.size();
  return true;
}

std::string_view Scanner::take_until(std::string_view bytes) {
  return take_bytes(std::min(rest().find_first_of(bytes), rest().size()));
}

std::string_view Scanner::take_bytes(std::size_t count) {
  const std::string_view taken = text_.substr(at_, count);
  at_ += count;
  return taken;
}

std::string_view Scanner::take_digits() {
  return take_bytes(std::min(rest().find_first_not_of("0123456789"), rest().size()));
}

void Scanner::expect(std::string_view bytes) {
  if (!take(bytes)) {
    fail(bytes);
  }
}

void Scanner::fail_at(std::size_t position, std::string_view expected) const {
  fail_at(position, Expected(fmt::format("expected {}", expected)));
}

void Scanner::fail_at(std::size_t position, const Expected& complaint) const {
  throw Expected(fmt::format("{} at character {}", complaint.what(), character(position)));
}

std::size_t Scanner::character(std::size_t position) const {
  const std::string_view before = text_.substr(0, position);
  return 1 + static_cast<std::size_t>(std::count_if(before.begin(), before.end(), [](char c) {
           return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;  // what continues a character is none
         }));
}

}  // namespace sistem
