#pragma once

#include <vector>

#include "common/settings.hpp"

namespace sistem {

/// What pub's manual says beside its options: templates, and JSON lines.
[[nodiscard]] std::vector<Chapter> pub_chapters();

}  // namespace sistem
