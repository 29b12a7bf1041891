#pragma once

#include <string>
#include <vector>

#include "common/options/settings.hpp"

namespace sistem {

/// The shells that completion is written for.
[[nodiscard]] const std::vector<std::string>& completion_shells();

/// A script for `shell` that completes the tool's options and, where it knows them, their values. `table` is the whole
/// one.
[[nodiscard]] std::string completion_script(const std::string& shell, const std::vector<Option>& table,
                                            const ToolText& tool);

}  // namespace sistem
