#pragma once

#include <cstdint>

namespace sistem {

/// The numbers are those that CONNECT carries [MQTT-3.1.2-1].
enum class ProtocolVersion : std::uint8_t { v31 = 3, v311 = 4, v5 = 5 };

}  // namespace sistem
