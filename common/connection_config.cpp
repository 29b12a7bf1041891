#include "common/connection_config.hpp"

#include <fmt/format.h>

namespace sistem {

std::string place(const std::string& host, std::uint16_t port) {
  const bool ipv6 = host.find(':') != std::string::npos;
  return ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

std::string place(const ConnectionConfig& config) {
  if (!config.unix_path.empty()) {
    return config.unix_path;
  }
  return config.brokers.empty() ? place(config.host, config.port)
                                : place(config.brokers.front().host, config.brokers.front().port);
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
