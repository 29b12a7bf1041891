#include "common/measure/report_format.hpp"

#include <fmt/format.h>

#include <string>

namespace sistem {

std::string report_line(std::string_view name, const std::string& value) {
  return fmt::format("{:<16} {}\n", name, value);
}

double rounded(double number, int digits) { return std::stod(fmt::format("{:.{}f}", number, digits)); }

}  // namespace sistem
