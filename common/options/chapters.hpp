#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/options/settings.hpp"

namespace sistem {

/// The manual beside the options, in order: the tool's own chapters, then those that both tools have.
[[nodiscard]] std::vector<Chapter> chapters(const std::vector<Option>& table, const ToolText& tool);

/// Whether a row is there only to say why mosquitto's option is not: its help begins so.
[[nodiscard]] bool is_refused(const Option& option);

}  // namespace sistem
