#pragma once

#include <cstdint>

namespace sistem {

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

/// Stands for a will, which has properties of its own, where packets are told apart by those.
inline constexpr PacketType the_will{};

}  // namespace sistem
