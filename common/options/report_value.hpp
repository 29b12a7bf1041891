#pragma once

#include <optional>

#include "common/measure/report_format.hpp"
#include "common/options/option.hpp"

namespace sistem {

/// The value of --report[=FORMAT]: as a flag, it is text.
[[nodiscard]] Value report_format(std::optional<ReportFormat>& field);

}  // namespace sistem
