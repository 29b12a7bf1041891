#include "common/text/encoding.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace sistem {
namespace {

/// How many bytes are ASCII, counted in steps of eight.
std::size_t ascii_ahead(std::string_view bytes) {
  constexpr std::uint64_t high_bits = 0x8080808080808080U;
  std::size_t at = 0;
  for (std::uint64_t eight = 0; at + sizeof eight <= bytes.size(); at += sizeof eight) {
    std::memcpy(&eight, bytes.data() + at, sizeof eight);
    if ((eight & high_bits) != 0) {
      break;
    }
  }
  return at;
}

/// As OpenSSL has them.
unsigned char* unsigned_bytes(char* bytes) { return reinterpret_cast<unsigned char*>(bytes); }
const unsigned char* unsigned_bytes(const char* bytes) { return reinterpret_cast<const unsigned char*>(bytes); }

}  // namespace

Character take_character(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = first < 0xC2 || first > 0xF4 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  Character one{text.substr(0, length), first & (0xFFU >> (length == 1 ? 0 : length + 1)), first < 0x80};
  if (length > 1 && one.bytes.size() == length) {
    for (const char byte : one.bytes.substr(1)) {
      one.point = one.point << 6U | (static_cast<unsigned char>(byte) & 0x3FU);
    }
    const bool is_overlong = one.point < (length == 3 ? 0x800U : length == 4 ? 0x10000U : 0x80U);
    const bool is_surrogate = one.point >= 0xD800 && one.point <= 0xDFFF;
    one.is_utf8 = std::all_of(one.bytes.begin() + 1, one.bytes.end(), continues_character) && !is_overlong &&
                  !is_surrogate && one.point <= 0x10FFFF;
  }
  if (!one.is_utf8) {
    one = {text.substr(0, 1), first, false};
  }
  text.remove_prefix(one.bytes.size());
  return one;
}

std::size_t begin_of_character(std::string_view text, std::size_t at) {
  while (at > 0 && continues_character(text[at])) {
    --at;
  }
  return at;
}

bool is_utf8(std::string_view bytes) {
  bytes.remove_prefix(ascii_ahead(bytes));
  while (!bytes.empty()) {
    if (!take_character(bytes).is_utf8) {
      return false;
    }
    bytes.remove_prefix(ascii_ahead(bytes));
  }
  return true;
}

bool is_text(std::string_view bytes) { return bytes.find('\0') == std::string_view::npos && is_utf8(bytes); }

bool is_mqtt_text(std::string_view bytes) {
  while (!bytes.empty()) {
    const Character one = take_character(bytes);
    const std::uint32_t point = one.point;
    const bool is_control = point < 0x20 || (point >= 0x7F && point <= 0x9F);
    const bool is_none = (point & 0xFFFEU) == 0xFFFE || (point >= 0xFDD0 && point <= 0xFDEF);
    if (!one.is_utf8 || is_control || is_none) {
      return false;
    }
  }
  return true;
}

std::string big_endian(std::uint64_t number, std::size_t size) {
  std::string bytes(size, '\0');
  for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte, number >>= 8U) {
    *byte = static_cast<char>(number & 0xFFU);
  }
  return bytes;
}

std::uint64_t number_of_big_endian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char byte : bytes) {
    number = number << 8U | static_cast<unsigned char>(byte);
  }
  return number;
}

std::string hex(std::string_view bytes, HexDigits digits) {
  const std::string_view alphabet = digits == HexDigits::lower ? "0123456789abcdef" : "0123456789ABCDEF";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const char byte : bytes) {
    const unsigned value = static_cast<unsigned char>(byte);
    text += alphabet[value >> 4U];
    text += alphabet[value & 0xFU];
  }
  return text;
}

std::string base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4, '\0');
  ::EVP_EncodeBlock(unsigned_bytes(text.data()), unsigned_bytes(bytes.data()), static_cast<int>(bytes.size()));
  return text;
}

std::optional<std::string> bytes_of_hex(std::string_view text) {
  if (text.size() % 2 != 0) {
    return std::nullopt;
  }
  std::string bytes;
  for (std::size_t at = 0; at < text.size(); at += 2) {
    unsigned char byte = 0;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + at + 2, byte, 16);
    if (error != std::errc{} || end != text.data() + at + 2) {
      return std::nullopt;
    }
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

std::optional<std::string> bytes_of_base64(std::string_view text) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  // OpenSSL takes blanks, and padding anywhere.
  if (text.size() % 4 != 0 || text.find_first_not_of(alphabet) < text.size() - padding) {
    return std::nullopt;
  }
  std::string bytes(text.size() / 4 * 3, '\0');
  ::EVP_DecodeBlock(unsigned_bytes(bytes.data()), unsigned_bytes(text.data()), static_cast<int>(text.size()));
  bytes.resize(bytes.size() - padding);
  return bytes;
}

}  // namespace sistem
