#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "common/measure/histogram.hpp"

namespace sistem {

/// What a report of a run looks like.
enum class ReportFormat : std::uint8_t { text, json, csv };

using Milliseconds = std::chrono::duration<double, std::milli>;

/// A line of a report as text: the name in a column of its own.
[[nodiscard]] std::string report_line(std::string_view name, const std::string& value);

/// To so many digits behind the point, as a number.
[[nodiscard]] double rounded(double number, int digits);

/// A percentile that a report has of its durations, and how it is called; 0 is the least of them.
using Percentile = std::pair<const char*, double>;

/// A histogram's percentiles in milliseconds, with so many decimals; null where nothing was recorded.
[[nodiscard]] nlohmann::ordered_json json_of(const Histogram& histogram, std::span<const Percentile> percentiles,
                                             int decimals);

/// A report as a line of its names, if `with_heading`, and a line of its values. Durations, whose names end in _ms,
/// have a column for each percentile; counts by reason are one text; lists are left out.
[[nodiscard]] std::string csv_of(const nlohmann::ordered_json& report, std::span<const Percentile> percentiles,
                                 bool with_heading);

}  // namespace sistem
