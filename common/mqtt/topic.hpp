#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sistem {

/// What a complaint says was expected ("a topic name without wildcards ...") where `topic` is no legal topic name;
/// nothing where it is one [MQTT-4.7.1, 4.7.3].
[[nodiscard]] std::optional<std::string> fault_of_topic_name(std::string_view topic);

/// The same for a topic filter; `$share/NAME/FILTER` is checked as a shared subscription [MQTT5-4.8.2].
[[nodiscard]] std::optional<std::string> fault_of_topic_filter(std::string_view filter);

/// `text` as a part of a topic name: without wildcards, which a client id may have.
[[nodiscard]] std::string without_wildcards(std::string text);

/// Whether a message on `topic` belongs to a subscription to `filter`; both are legal. A wildcard in the first level
/// takes no topic that begins with $, and a shared subscription takes what its filter takes [MQTT-4.7.1, 4.7.2].
[[nodiscard]] bool matches(std::string_view filter, std::string_view topic);

}  // namespace sistem
