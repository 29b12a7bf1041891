#pragma once

#include <stdexcept>

namespace sistem {

/// What no honest peer would send: "SUBACK: it ends inside of a property". It ends the connection [MQTT-4.8.0-1].
class Malformed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace sistem
