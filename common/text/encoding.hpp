#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sistem {

/// The length of the UTF-8 sequence that `text`, which is not empty, starts with; 0 where it starts with none. Overlong
/// forms, surrogates and what lies past U+10FFFF are no UTF-8 [RFC 3629].
[[nodiscard]] std::size_t utf8_sequence(std::string_view text);

/// The code point that such a sequence stands for.
[[nodiscard]] std::uint32_t code_point(std::string_view sequence);

/// Whether all of it is UTF-8, as no text at all is.
[[nodiscard]] bool is_utf8(std::string_view bytes);

/// Whether the bytes can stand in a JSON string and come out of it as they were, in every language: UTF-8 without NUL.
[[nodiscard]] bool is_text(std::string_view bytes);

/// Whether it is text that a broker takes: UTF-8 without NUL, control characters and code points that are no characters
/// [MQTT-1.5.3], for which Mosquitto closes the connection.
[[nodiscard]] bool is_mqtt_text(std::string_view bytes);

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
