#pragma once

#include <string_view>
#include <vector>

#include "sub/show/format.hpp"

namespace sistem {

/// The parts of a format string [mosquitto_sub's -F]. Throws Expected, with the place of what is wrong.
[[nodiscard]] std::vector<Format::Part> compiled(std::string_view format);

}  // namespace sistem
