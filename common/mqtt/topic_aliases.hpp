#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

namespace sistem {

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
