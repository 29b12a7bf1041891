#include "common/text/encoding.hpp"

#include <openssl/evp.h>

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

std::size_t utf8_sequence(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const auto continues = [&](std::size_t count) {
    if (text.size() <= count) {
      return false;
    }
    for (std::size_t at = 1; at <= count; ++at) {
      if ((byte(at) & 0xC0U) != 0x80U) {
        return false;
      }
    }
    return true;
  };
  const unsigned first = byte(0);
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xC2 && first <= 0xDF) {
    return continues(1) ? 2 : 0;
  }
  if (first >= 0xE0 && first <= 0xEF && continues(2)) {
    const bool overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = first == 0xED && byte(1) > 0x9F;
    return overlong || surrogate ? 0 : 3;
  }
  if (first >= 0xF0 && first <= 0xF4 && continues(3)) {
    const bool overlong = first == 0xF0 && byte(1) < 0x90;
    const bool too_high = first == 0xF4 && byte(1) > 0x8F;
    return overlong || too_high ? 0 : 4;
  }
  return 0;
}

std::uint32_t code_point(std::string_view sequence) {
  const std::size_t length = sequence.size();
  std::uint32_t point = static_cast<unsigned char>(sequence[0]) & (0xFFU >> (length == 1 ? 0 : length + 1));
  for (std::size_t at = 1; at < length; ++at) {
    point = point << 6U | (static_cast<unsigned char>(sequence[at]) & 0x3FU);
  }
  return point;
}

bool is_utf8(std::string_view bytes) {
  while (true) {
    bytes.remove_prefix(ascii_ahead(bytes));
    if (bytes.empty()) {
      return true;
    }
    const std::size_t length = utf8_sequence(bytes);
    if (length == 0) {
      return false;
    }
    bytes.remove_prefix(length);
  }
}

bool is_text(std::string_view bytes) { return bytes.find('\0') == std::string_view::npos && is_utf8(bytes); }

bool is_mqtt_text(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t length = utf8_sequence(bytes);
    if (length == 0) {
      return false;
    }
    const std::uint32_t point = code_point(bytes.substr(0, length));
    const bool is_control = point < 0x20 || (point >= 0x7F && point <= 0x9F);
    const bool is_none = (point & 0xFFFEU) == 0xFFFE || (point >= 0xFDD0 && point <= 0xFDEF);
    if (is_control || is_none) {
      return false;
    }
    bytes.remove_prefix(length);
  }
  return true;
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
