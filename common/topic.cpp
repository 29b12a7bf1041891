#include "common/topic.hpp"

#include <cstddef>

namespace sistem {
namespace {

constexpr std::size_t longest_topic = 65535;  // bytes: its length travels in two of them [MQTT-1.5.3]

/// The length of the UTF-8 sequence that starts `text`, or 0 where none does: overlong forms, surrogates and
/// what lies past U+10FFFF are no UTF-8 [RFC 3629].
std::size_t utf8_sequence(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const auto continues = [&](std::size_t count) {
    if (text.size() <= count) {
      return false;
    }
    for (std::size_t at = 1; at <= count; ++at) {
      if ((byte(at) & 0xC0U) != 0x80U) {
        return false;
      }
    }
    return true;
  };
  const unsigned first = byte(0);
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xC2 && first <= 0xDF) {
    return continues(1) ? 2 : 0;
  }
  if (first >= 0xE0 && first <= 0xEF && continues(2)) {
    const bool overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = first == 0xED && byte(1) > 0x9F;
    return overlong || surrogate ? 0 : 3;
  }
  if (first >= 0xF0 && first <= 0xF4 && continues(3)) {
    const bool overlong = first == 0xF0 && byte(1) < 0x90;
    const bool too_high = first == 0xF4 && byte(1) > 0x8F;
    return overlong || too_high ? 0 : 4;
  }
  return 0;
}

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
  return std::nullopt;
}

std::optional<std::string> fault_of_wildcards(std::string_view filter) {
  while (true) {
    const std::size_t slash = filter.find('/');
    const std::string_view level = filter.substr(0, slash);
    if (level.size() > 1 && level.find_first_of("+#") != std::string_view::npos) {
      return "+ and # alone in their levels";
    }
    if (slash == std::string_view::npos) {
      return std::nullopt;
    }
    if (level == "#") {
      return "# only as the last level";
    }
    filter.remove_prefix(slash + 1);
  }
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_sequence(text);
    if (length == 0) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

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
  constexpr std::string_view shared = "$share/";
  if (filter.substr(0, shared.size()) == shared) {
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

}  // namespace sistem
