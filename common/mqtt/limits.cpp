#include "common/mqtt/limits.hpp"

#include <fmt/format.h>

namespace sistem {

BrokerLimits limits_in(const std::vector<Property>& connack) {
  BrokerLimits limits;
  const auto read = [&](std::string_view name, std::uint32_t otherwise) {
    return number_in(connack, name).value_or(otherwise);
  };
  limits.receive_maximum = read("receive-maximum", limits.receive_maximum);
  limits.maximum_qos = read("maximum-qos", limits.maximum_qos);
  limits.retain_available = read("retain-available", 1) != 0;
  limits.maximum_packet_size = read("maximum-packet-size", limits.maximum_packet_size);
  limits.topic_alias_maximum = read("topic-alias-maximum", 0);
  limits.wildcards_available = read("wildcard-subscription-available", 1) != 0;
  limits.identifiers_available = read("subscription-identifier-available", 1) != 0;
  limits.shared_available = read("shared-subscription-available", 1) != 0;
  return limits;
}

std::optional<std::string> fault_of(const PublishInfo& message, const BrokerLimits& limits) {
  if (static_cast<std::uint32_t>(message.qos) > limits.maximum_qos) {
    return fmt::format("it takes QoS {} at most", limits.maximum_qos);
  }
  if (message.retain && !limits.retain_available) {
    return "it keeps no retained messages";
  }
  if (message.packet_size > limits.maximum_packet_size) {
    return fmt::format("it takes packets of {} bytes at most", limits.maximum_packet_size);
  }
  if (message.alias && *message.alias > limits.topic_alias_maximum) {
    return limits.topic_alias_maximum == 0 ? "it takes no topic alias"
                                           : fmt::format("it takes topic aliases up to {}", limits.topic_alias_maximum);
  }
  return std::nullopt;
}

std::optional<std::string> fault_of_subscription(const std::string& filter, bool with_identifier,
                                                 const BrokerLimits& limits) {
  if (!limits.wildcards_available && filter.find_first_of("+#") != std::string::npos) {
    return "it takes no filters with + or #";
  }
  if (!limits.shared_available && filter.starts_with("$share/")) {
    return "it has no shared subscriptions";
  }
  if (!limits.identifiers_available && with_identifier) {
    return "it takes no subscription identifier";
  }
  return std::nullopt;
}

std::size_t publish_size(std::size_t topic, int qos, std::size_t properties, std::size_t payload) {
  const std::size_t rest = 2 + topic + (qos > 0 ? 2 : 0) + size_of_variable(properties) + properties + payload;
  return 1 + size_of_variable(rest) + rest;
}

}  // namespace sistem
