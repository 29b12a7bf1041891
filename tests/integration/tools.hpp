#pragma once

#include <string>
#include <vector>

#include "tests/support/broker.hpp"
#include "tests/support/process.hpp"

namespace sistem::test {

/// How the built tools are started against a broker: by their environment, as in the containers.
inline Start tool(const char* executable, std::uint16_t port, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), executable);
  return {.command = std::move(arguments),
          .environment = {{"MQTT_HOST", "127.0.0.1"}, {"MQTT_PORT", std::to_string(port)}}};
}
inline Start pub(const Broker& broker, std::vector<std::string> arguments) {
  return tool(PUB, broker.port(), std::move(arguments));
}
inline Start sub(const Broker& broker, std::vector<std::string> arguments) {
  return tool(SUB, broker.port(), std::move(arguments));
}

}  // namespace sistem::test
