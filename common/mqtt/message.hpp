#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "common/mqtt/property.hpp"

namespace sistem {

/// One application message, as it is published or as it arrived.
struct Message {
  std::string topic;    ///< topic name: UTF-8, no wildcards [MQTT-4.7]
  std::string payload;  ///< any bytes, NUL among them
  int qos = 0;
  bool retain = false;               ///< published: keep it; arrived: it was kept, and is not news [MQTT-3.3.1-8]
  std::vector<Property> properties;  ///< MQTT 5, in the order they are sent or came in

  // Of one that arrived:
  std::uint16_t packet_id = 0;                    ///< 0 at QoS 0 [MQTT-2.2.1-2]
  std::chrono::system_clock::time_point arrival;  ///< when the kernel received it, or the session where that is unknown
  /// The same by the clock that never jumps, for the time between two.
  std::chrono::steady_clock::time_point arrival_steady;
  bool dup = false;  ///< it may have come before [MQTT-3.3.1-1]
};

}  // namespace sistem
