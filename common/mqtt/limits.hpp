#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/mqtt/property.hpp"

namespace sistem {

/// What a broker takes on a connection: what its CONNACK says, and otherwise what MQTT lets it [MQTT5 3.2.2.3].
struct BrokerLimits {
  std::uint32_t receive_maximum = 65535;
  std::uint32_t maximum_qos = 2;
  bool retain_available = true;
  std::uint32_t maximum_packet_size = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t topic_alias_maximum = 0;
  bool wildcards_available = true;
  bool identifiers_available = true;
  bool shared_available = true;
};

[[nodiscard]] BrokerLimits limits_in(const std::vector<Property>& connack);

/// What of a PUBLISH the limits are about.
struct PublishInfo {
  int qos = 0;
  bool retain = false;
  std::size_t packet_size = 0;  ///< all of it
  std::optional<std::uint32_t> alias = {};
};

/// Why the broker would close the connection over that message: then it is better not sent.
[[nodiscard]] std::optional<std::string> fault_of(const PublishInfo& message, const BrokerLimits& limits);

/// The same of a subscription; with_identifier: its SUBSCRIBE has a subscription identifier.
[[nodiscard]] std::optional<std::string> fault_of_subscription(const std::string& filter, bool with_identifier,
                                                               const BrokerLimits& limits);

/// How many bytes PUBLISH takes in MQTT 5.
[[nodiscard]] std::size_t publish_size(std::size_t topic, int qos, std::size_t properties, std::size_t payload);

/// What stands for a topic name on one connection [MQTT5 3.3.2.3.4]: each gets the next alias until the broker takes no
/// more.
class TopicAliases {
 public:
  explicit TopicAliases(std::uint32_t maximum = 0) : maximum_(maximum) {}

  struct Named {
    std::uint32_t alias;
    bool is_new;  ///< the topic name goes along, so that the broker learns what it stands for
  };
  /// Nothing if it goes by its name.
  [[nodiscard]] std::optional<Named> of(const std::string& topic) {
    if (const auto known = aliases_.find(topic); known != aliases_.end()) {
      return Named{known->second, false};
    }
    if (aliases_.size() >= maximum_) {
      return std::nullopt;
    }
    const auto alias = static_cast<std::uint32_t>(aliases_.size() + 1);
    aliases_.emplace(topic, alias);
    return Named{alias, true};
  }

 private:
  std::uint32_t maximum_;
  std::unordered_map<std::string, std::uint32_t> aliases_;
};

}  // namespace sistem
