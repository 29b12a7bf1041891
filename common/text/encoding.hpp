#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sistem {

/// A UTF-8 sequence, or a byte that begins none: overlong forms, surrogates and what lies past U+10FFFF are no UTF-8
/// [RFC 3629].
struct Character {
  std::string_view bytes;
  std::uint32_t point = 0;  ///< its code point; of such a byte the byte
  bool is_utf8 = false;
};

/// Takes one off the front of `text`, which is not empty.
[[nodiscard]] Character take_character(std::string_view& text);

/// Whether a byte stands within a UTF-8 sequence, not at its beginning.
[[nodiscard]] constexpr bool continues_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

/// Where the character begins that the byte at `at` is part of, so that a text can be cut there.
[[nodiscard]] std::size_t begin_of_character(std::string_view text, std::size_t at);

/// Whether all of it is UTF-8, as no text at all is.
[[nodiscard]] bool is_utf8(std::string_view bytes);

/// Whether the bytes can stand in a JSON string and come out of it as they were, in every language: UTF-8 without NUL.
[[nodiscard]] bool is_text(std::string_view bytes);

/// Whether it is text that a broker takes: UTF-8 without NUL, control characters and code points that are no characters
/// [MQTT-1.5.3], for which Mosquitto closes the connection.
[[nodiscard]] bool is_mqtt_text(std::string_view bytes);

/// A number in so many bytes, the highest first, as packets have it; and back.
[[nodiscard]] std::string big_endian(std::uint64_t number, std::size_t size);
[[nodiscard]] std::uint64_t number_of_big_endian(std::string_view bytes);

enum class HexDigits { lower, upper };

/// Two digits for each byte.
[[nodiscard]] std::string hex(std::string_view bytes, HexDigits digits);

/// With padding, without line breaks [RFC 4648, 4].
[[nodiscard]] std::string base64(std::string_view bytes);

/// The bytes that such a text stands for, digits of either case; nothing where it is none.
[[nodiscard]] std::optional<std::string> bytes_of_hex(std::string_view text);

/// The same of base64, with its padding.
[[nodiscard]] std::optional<std::string> bytes_of_base64(std::string_view text);

}  // namespace sistem
