#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sistem {

/// Whether all of `text` is UTF-8 [RFC 3629]; it may hold any character.
[[nodiscard]] bool is_utf8(std::string_view text);

/// What a complaint says was expected ("a topic name without wildcards ...") where `topic` is no legal topic name;
/// nothing where it is one [MQTT-4.7.1, 4.7.3].
[[nodiscard]] std::optional<std::string> fault_of_topic_name(std::string_view topic);

/// The same for a topic filter; `$share/NAME/FILTER` is checked as a shared subscription [MQTT5-4.8.2].
[[nodiscard]] std::optional<std::string> fault_of_topic_filter(std::string_view filter);

}  // namespace sistem
