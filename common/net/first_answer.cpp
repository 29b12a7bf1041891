#include "common/net/first_answer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/mqtt/packet.hpp"
#include "common/mqtt/reason.hpp"
#include "common/text/screen_text.hpp"

namespace sistem {
namespace {

constexpr std::size_t longest_line = 60;

bool is_readable(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(),
                     [](char c) { return (c >= ' ' && c < 0x7F) || c == '\r' || c == '\n' || c == '\t'; });
}

/// As a banner or an error page begins; cut if it is long.
std::string first_line(std::string_view text) {
  const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  return shown(line.substr(0, longest_line)) + (line.size() > longest_line ? "..." : "");
}

/// Of a DISCONNECT: its reason code, if it is there [MQTT5 3.14.2].
std::string reason_in(std::string_view bytes) {
  const bool has_code =
      type_of(static_cast<std::uint8_t>(bytes[0])) == PacketType::disconnect && bytes.size() > 2 && bytes[1] > 0;
  return has_code ? fmt::format(" ({})", reason_text(static_cast<unsigned char>(bytes[2]))) : "";
}

}  // namespace

/// Four bytes of text never begin a packet of MQTT that a broker may send: read as one they would be a CONNACK, or a
/// PUBLISH with a topic name, that is longer than itself.
std::optional<std::string> not_mqtt(std::string_view bytes) {
  if (bytes.empty()) {
    return std::nullopt;
  }
  const auto first = static_cast<std::uint8_t>(bytes.front());
  if (is_readable(bytes.substr(0, telling_bytes))) {
    if (bytes.size() < telling_bytes) {
      return std::nullopt;
    }
    const bool is_http = bytes.starts_with("HTTP");
    return is_http ? fmt::format("it answers {}: --ws?", first_line(bytes))
                   : fmt::format("it answers \"{}\": is it an MQTT broker?", first_line(bytes));
  }
  constexpr std::uint8_t tls_alert = 0x15;
  constexpr std::uint8_t tls_handshake = 0x16;
  constexpr char tls_version = 3;  // of all versions from SSL 3.0 to TLS 1.3 [RFC 8446 5.1]
  if (first == tls_alert || first == tls_handshake) {
    if (bytes.size() == 1) {
      return std::nullopt;
    }
    if (bytes[1] == tls_version) {
      return "it answers with TLS: --cafile or --tls-use-os-certs?";
    }
  }
  const PacketType type = type_of(first);
  if (first >> 4U == 0 || !has_right_flags(first)) {
    return fmt::format("what it answers is not MQTT (its first byte is 0x{:02X})", first);
  }
  switch (type) {
    case PacketType::connack: return std::nullopt;
    case PacketType::auth: return "it asks for another step of authentication (AUTH), which this tool cannot do";
    case PacketType::connect: return "it sends back what it gets: its first packet is CONNECT and not CONNACK";
    default: return fmt::format("its first packet is {}{} and not CONNACK", packet_name(type), reason_in(bytes));
  }
}

}  // namespace sistem
