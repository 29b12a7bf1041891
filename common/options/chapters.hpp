#pragma once

#include <vector>

#include "common/options/settings.hpp"

namespace sistem {

/// The manual beside the options, in order: the tool's own chapters, then those that both tools have.
[[nodiscard]] std::vector<Chapter> chapters(const std::vector<Option>& table, const ToolText& tool);

}  // namespace sistem
