#include "common/measure/report.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <nlohmann/json.hpp>

namespace sistem {

using Json = nlohmann::ordered_json;

std::string report_line(std::string_view name, const std::string& value) {
  return fmt::format("{:<16} {}\n", name, value);
}

double rounded(double number, int digits) { return std::stod(fmt::format("{:.{}f}", number, digits)); }

Json json_of(const Histogram& histogram, std::span<const Percentile> percentiles, int decimals) {
  Json json;
  for (const auto& [name, percent] : percentiles) {
    if (histogram.count() > 0) {
      json[name] = rounded(Milliseconds(histogram.percentile(percent)).count(), decimals);
    }
  }
  return json;
}

std::string csv_of(const Json& report, std::span<const Percentile> percentiles, bool with_heading) {
  std::string names;
  std::string values;
  const auto add = [&](const std::string& name, const Json& value) {
    names += (names.empty() ? "" : ",") + name;
    values += values.empty() ? "" : ",";
    values += value.is_null() ? "" : value.is_string() ? value.get<std::string>() : value.dump();
  };
  for (const auto& [name, value] : report.items()) {
    if (name.ends_with("_ms") && !value.is_number()) {
      for (const auto& [percentile, percent] : percentiles) {
        add(fmt::format("{}_{}", name, percentile), value.is_null() ? Json() : value[percentile]);
      }
    } else if (value.is_object()) {
      std::string all;
      for (const auto& [reason, count] : value.items()) {
        all += fmt::format("{}{}: {}", all.empty() ? "" : "; ", reason, count.get<std::uint64_t>());
      }
      add(name, fmt::format("\"{}\"", all));
    } else if (!value.is_array()) {
      add(name, value);
    }
  }
  return (with_heading ? names + "\n" : "") + values + "\n";
}

}  // namespace sistem
