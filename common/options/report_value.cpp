#include "common/options/report_value.hpp"

#include <string_view>
#include <utility>

namespace sistem {

Value report_format(std::optional<ReportFormat>& field) {
  Value value = choice<std::optional<ReportFormat>>(
      field, {{"text", ReportFormat::text}, {"json", ReportFormat::json}, {"csv", ReportFormat::csv}});
  value.set = [&field, set = std::move(value.set)](std::string_view text) {
    const auto answer = on_or_off(text);
    if (answer == false) {
      field.reset();
    } else {
      set(answer ? "text" : text);
    }
  };
  return value;
}

}  // namespace sistem
