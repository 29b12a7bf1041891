#include "common/options/report_value.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace sistem {

Value report_format(std::optional<ReportFormat>& field) {
  const std::vector<std::pair<std::string, ReportFormat>> words{
      {"text", ReportFormat::text}, {"json", ReportFormat::json}, {"csv", ReportFormat::csv}};
  const auto set = [&field, words](std::string_view value) {
    const auto answer = value.empty() ? std::optional(true) : truth(value);
    const auto word = std::ranges::find(words, answer == true ? "text" : value, &decltype(words)::value_type::first);
    if (word == words.end() && answer != false) {
      throw Expected("expected text, json or csv");
    }
    field = word == words.end() ? std::nullopt : std::optional(word->second);
  };
  const auto get = [&field, words]() -> std::vector<std::string> {
    const auto word = std::ranges::find(words, field, &decltype(words)::value_type::second);
    return word == words.end() ? std::vector<std::string>{} : std::vector{word->first};
  };
  return {set, get, [&field] { field.reset(); }, {"text", "json", "csv"}};
}

}  // namespace sistem
