#pragma once

#include <string>

namespace sistem {

/// One application message, as it is published or as it arrived.
struct Message {
  std::string topic;    ///< topic name: UTF-8, no wildcards [MQTT-4.7]
  std::string payload;  ///< any bytes, NUL among them
  int qos = 0;
  bool retain = false;  ///< published: keep it; arrived: it was kept, and is not news [MQTT-3.3.1-8]
};

}  // namespace sistem
