#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/mqtt/property.hpp"
#include "common/mqtt/protocol.hpp"

namespace sistem {

/// What a packet's first byte says; the latter two of PUBLISH [MQTT5 3.3.1].
[[nodiscard]] constexpr PacketType type_of(std::uint8_t first_byte) {
  return static_cast<PacketType>(first_byte >> 4U);
}
/// Whether the lower half of a first byte is one that the type may have there; of PUBLISH: whether it has a QoS that
/// there is [MQTT5 2.1.3].
[[nodiscard]] bool has_right_flags(std::uint8_t first_byte);
[[nodiscard]] constexpr int qos_of(std::uint8_t first_byte) { return static_cast<int>(first_byte >> 1U & 3U); }
[[nodiscard]] constexpr bool is_duplicate(std::uint8_t first_byte) { return (first_byte & 8U) != 0; }

/// PUBACK, PUBREC, PUBREL, PUBCOMP.
[[nodiscard]] constexpr bool is_acknowledgement(PacketType type) {
  return type == PacketType::puback || type == PacketType::pubrec || type == PacketType::pubrel ||
         type == PacketType::pubcomp;
}

/// The specification's name: "PUBLISH".
[[nodiscard]] std::string_view packet_name(PacketType type);

/// One topic filter of SUBSCRIBE with its options byte, or of UNSUBSCRIBE [MQTT5 3.8.3.1].
struct RequestedFilter {
  std::string filter;
  std::uint8_t options = 0;  ///< QoS in the lowest two bits
};

/// An MQTT control packet, taken apart. What its kind does not have keeps its default.
struct Packet {
  PacketType type = PacketType::pingreq;
  std::size_t size = 0;  ///< on the wire, fixed header included
  bool duplicate = false;
  int qos = 0;
  bool retain = false;
  std::optional<std::uint16_t> id;  ///< packet identifier

  std::string topic;        ///< of PUBLISH; empty where only an alias names it
  std::size_t payload = 0;  ///< of PUBLISH, in bytes
  std::vector<int> codes;   ///< reason codes; before MQTT 5 CONNACK's return code and SUBACK's; none: success unsaid
  std::vector<RequestedFilter> filters;
  std::vector<Property> properties;
  bool session_present = false;  ///< of CONNACK

  // Of CONNECT. Passwords are never kept.
  int protocol_level = 0;
  std::string client_id;
  std::optional<std::string> username;
  bool has_password = false;
  bool clean = false;  ///< clean session, in MQTT 5 clean start
  std::uint16_t keep_alive = 0;
  std::optional<std::string> will_topic;
  std::size_t will_payload = 0;
  std::vector<Property> will_properties;
};

/// Takes the packet apart that begins at the front of `bytes`, as that version of MQTT means it; CONNECT says its own.
/// `bytes` may end before the packet does if that is inside of the payload of PUBLISH or later; `size` is that of the
/// whole packet, from its fixed header. Throws Malformed for what no honest peer would send: "SUBACK: it ends inside of
/// a property".
[[nodiscard]] Packet read_packet(std::string_view bytes, ProtocolVersion version);

/// The packet on one line, for -d: its name, packet id, flags, what it is about, reason codes with their names,
/// properties, sizes. Neither passwords nor authentication data nor the bytes of payloads.
[[nodiscard]] std::string description(const Packet& packet, ProtocolVersion version);

/// The packet id of a packet that has one, of QoS 1 or 2 if it is PUBLISH; its beginning is enough. Nothing if it ends
/// before that.
[[nodiscard]] std::optional<std::uint16_t> packet_id_of(std::string_view packet);

/// An acknowledgement. Without a code it is one of MQTT 3.1.1, and in MQTT 5 means success [MQTT5 3.4.2.1].
[[nodiscard]] std::string acknowledgement(PacketType type, std::uint16_t id, int code = 0);

/// Cuts a stream of bytes, which comes in pieces of any size, where its packets begin and end.
class PacketCutter {
 public:
  /// A run of bytes of one packet.
  struct Piece {
    std::string_view bytes;
    std::uint8_t first_byte;  ///< of the packet: type and flags
    std::size_t packet_size;  ///< of all of it
    bool begins;              ///< the packet's first byte is the first here
    bool ends;                ///< and its last one the last
  };

  /// The next piece of `bytes`, which is then shorter by it; nothing where `bytes` is used up. A fixed header is never
  /// divided: one that came in several parts is a piece that points into the cutter, and is good until the next call.
  /// Throws Malformed where the length has more than four bytes [MQTT5 1.5.5].
  [[nodiscard]] std::optional<Piece> next(std::string_view& bytes);

  /// Whether all bytes so far make whole packets.
  [[nodiscard]] bool between_packets() const { return left_ == 0 && header_size_ == 0; }

 private:
  Piece begin(std::string_view& bytes, std::size_t size);

  std::array<char, 5> header_{};  ///< of a packet whose fixed header is not all there yet
  std::size_t header_size_ = 0;
  std::uint8_t first_byte_ = 0;
  std::size_t packet_size_ = 0;
  std::size_t left_ = 0;  ///< bytes of the current packet that have not come yet
};

}  // namespace sistem
