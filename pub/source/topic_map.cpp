#include "pub/source/topic_map.hpp"

#include <fmt/format.h>

#include "common/mqtt/topic.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

/// A slash at the end changes nothing: levels are compared whole anyway.
std::string levels(std::string_view text) {
  return std::string(text.ends_with('/') ? text.substr(0, text.size() - 1) : text);
}

}  // namespace

TopicMapping topic_mapping(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || text == "=") {
    throw Expected("expected FROM=TO, the first levels of a topic and what takes their place");
  }
  TopicMapping mapping{levels(text.substr(0, equals)), levels(text.substr(equals + 1))};
  for (const std::string& side : {mapping.from, mapping.to}) {
    if (const auto fault = side.empty() ? std::nullopt : fault_of_topic_name(side)) {
      throw Expected("expected " + *fault);
    }
  }
  return mapping;
}

std::string mapped(const std::string& topic, const std::vector<TopicMapping>& mappings) {
  for (const auto& [from, to] : mappings) {
    const bool is_below = topic.starts_with(from) && topic.size() > from.size() && topic[from.size()] == '/';
    if (from.empty()) {
      return fmt::format("{}/{}", to, topic);
    }
    if (topic == from || is_below) {
      const std::string rest = topic.substr(from.size());
      return to.empty() && !rest.empty() ? rest.substr(1) : to + rest;
    }
  }
  return topic;
}

}  // namespace sistem
