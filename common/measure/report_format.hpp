#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace sistem {

/// What a report of a run looks like.
enum class ReportFormat : std::uint8_t { text, json, csv };

using Milliseconds = std::chrono::duration<double, std::milli>;

/// A line of a report as text: the name in a column of its own.
[[nodiscard]] std::string report_line(std::string_view name, const std::string& value);

/// To so many digits behind the point, as a number.
[[nodiscard]] double rounded(double number, int digits);

}  // namespace sistem
