#pragma once

#include <vector>

#include "common/options/settings.hpp"

namespace sistem {

/// What pub's manual says beside its options: templates, JSON lines, and stamps.
[[nodiscard]] std::vector<Chapter> pub_chapters();

}  // namespace sistem
