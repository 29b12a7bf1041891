#pragma once

#include <cstdint>
#include <stdexcept>

namespace sistem {

/// The numbers are those that CONNECT carries [MQTT-3.1.2-1].
enum class ProtocolVersion : std::uint8_t { v31 = 3, v311 = 4, v5 = 5 };

/// The numbers are those of the first byte's upper half [MQTT5 2.1.2].
enum class PacketType : std::uint8_t {
  connect = 1,
  connack,
  publish,
  puback,
  pubrec,
  pubrel,
  pubcomp,
  subscribe,
  suback,
  unsubscribe,
  unsuback,
  pingreq,
  pingresp,
  disconnect,
  auth,
};

/// A packet type that is none: it stands for a will, where properties are looked up by their packet.
inline constexpr PacketType the_will{};

/// What no honest peer would send: "SUBACK: it ends inside of a property". It ends the connection [MQTT-4.8.0-1].
class Malformed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace sistem
