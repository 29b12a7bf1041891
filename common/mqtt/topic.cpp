#include "common/mqtt/topic.hpp"

#include <algorithm>
#include <cstddef>

#include "common/text/encoding.hpp"

namespace sistem {
namespace {

constexpr std::size_t longest_topic = 65535;  // bytes: its length travels in two of them [MQTT-1.5.3]

/// What topic names and topic filters have in common.
std::optional<std::string> fault_of_any_topic(std::string_view topic) {
  if (topic.empty()) {
    return "at least one character";
  }
  if (topic.size() > longest_topic) {
    return "at most 65535 bytes";
  }
  if (topic.find('\0') != std::string_view::npos) {
    return "no NUL character in a topic";
  }
  if (!is_utf8(topic)) {
    return "UTF-8";
  }
  if (!is_mqtt_text(topic)) {
    return "UTF-8 without control characters";
  }
  return std::nullopt;
}

constexpr std::string_view shared = "$share/";

/// Cuts the first level off, with its slash. Nothing is left, not even an empty level, where there was no slash.
std::string_view take_level(std::optional<std::string_view>& levels) {
  const std::size_t slash = levels->find('/');
  const std::string_view level = levels->substr(0, slash);
  levels = slash == std::string_view::npos ? std::nullopt : std::optional(levels->substr(slash + 1));
  return level;
}

std::optional<std::string> fault_of_wildcards(std::string_view filter) {
  for (std::optional levels{filter}; levels;) {
    const std::string_view level = take_level(levels);
    if (level.size() > 1 && level.find_first_of("+#") != std::string_view::npos) {
      return "+ and # alone in their levels";
    }
    if (level == "#" && levels) {
      return "# only as the last level";
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> fault_of_topic_name(std::string_view topic) {
  if (auto fault = fault_of_any_topic(topic)) {
    return fault;
  }
  if (topic.find_first_of("+#") != std::string_view::npos) {
    return "a topic name without wildcards (+ and # are for subscribing)";
  }
  return std::nullopt;
}

std::optional<std::string> fault_of_topic_filter(std::string_view filter) {
  if (auto fault = fault_of_any_topic(filter)) {
    return fault;
  }
  if (filter.starts_with(shared)) {
    const std::string_view rest = filter.substr(shared.size());
    const std::size_t slash = rest.find('/');
    if (slash == 0 || slash == std::string_view::npos || slash + 1 == rest.size() ||
        rest.substr(0, slash).find_first_of("+#") != std::string_view::npos) {
      return "a shared subscription as $share/NAME/FILTER";
    }
    filter = rest.substr(slash + 1);
  }
  return fault_of_wildcards(filter);
}

std::string without_wildcards(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '+' || c == '#'; }, '_');
  return text;
}

bool matches(std::string_view filter, std::string_view topic) {
  if (filter.starts_with(shared)) {
    filter.remove_prefix(filter.find('/', shared.size()) + 1);
  }
  if (topic.starts_with('$') != filter.starts_with('$')) {
    return false;  // [MQTT-4.7.2-1]
  }
  std::optional filters{filter};
  std::optional levels{topic};
  while (filters) {
    const std::string_view wanted = take_level(filters);
    if (wanted == "#") {
      return true;  // also where no level is left: a/# takes a in [MQTT-4.7.1-2]
    }
    if (!levels) {
      return false;
    }
    if (const std::string_view level = take_level(levels); wanted != "+" && wanted != level) {
      return false;
    }
  }
  return !levels;
}

}  // namespace sistem
