#pragma once

#include <vector>

#include "common/options/settings.hpp"

namespace sistem {

/// What sub's manual says beside its options: what -F takes, and what a terminal gets.
[[nodiscard]] std::vector<Chapter> sub_chapters();

}  // namespace sistem
