#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sistem {

/// Topics below one level, or that level itself, go to another one.
struct TopicMapping {
  std::string from;  ///< levels at the beginning of a topic; none: all topics
  std::string to;    ///< what takes their place; none: nothing does

  friend bool operator==(const TopicMapping&, const TopicMapping&) = default;
};

/// Reads FROM=TO: "sistem/lab=copy". Throws Expected.
[[nodiscard]] TopicMapping topic_mapping(std::string_view text);

/// Where a topic goes: by the first mapping that has its first levels, or nowhere else.
[[nodiscard]] std::string mapped(const std::string& topic, const std::vector<TopicMapping>& mappings);

}  // namespace sistem
