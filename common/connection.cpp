#include "common/connection.hpp"

#include <fmt/format.h>

namespace sistem {

std::vector<Option> connection_rows(ConnectionConfig& config) {
  const std::string section = "Connection";
  const auto host = [&config](std::string_view value) {
    if (value.empty()) {
      throw Expected("expected a host name or an address");
    }
    config.host = value;
  };
  const auto wait_for_broker = [&config](std::string_view value) {
    config.wait_limit.reset();
    if (value.empty()) {
      config.wait_for_broker = true;
    } else if (const auto answer = truth(value); answer && value != "1" && value != "0") {  // 1 is a second
      config.wait_for_broker = *answer;
    } else {
      seconds(config.wait_limit)(value);
      config.wait_for_broker = true;
    }
  };
  return {
      {"host", 'h', "HOST", section, "Name or address of the broker (localhost).", host},
      {"port", 'p', "PORT", section, "TCP port of the broker (1883).",
       number(config.port, 1, 65535, "expected a port from 1 to 65535")},
      {"id", 'i', "ID", section, "Client id (the tool's name and a random number). A broker knows one client by each.",
       text(config.client_id)},
      {"wait-for-broker", 0, "[=SECONDS]", section,
       "While no broker answers at the start, try again, for so long or for ever. A refusal still ends the run.",
       wait_for_broker},
      {"debug", 'd', "", section, "Say on stderr what is sent and what is received.", flag(config.debug)},
  };
}

std::string place(const std::string& host, std::uint16_t port) {
  const bool ipv6 = host.find(':') != std::string::npos;
  return ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

std::string place(const ConnectionConfig& config) {
  return config.unix_path.empty() ? place(config.host, config.port) : config.unix_path;
}

std::vector<Property> properties_for(PropertyPlace place, const std::vector<PlacedProperty>& all) {
  std::vector<Property> properties;
  for (const PlacedProperty& one : all) {
    if (one.place == place) {
      properties.push_back(one.property);
    }
  }
  return properties;
}

}  // namespace sistem
