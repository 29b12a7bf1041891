#include "sub/number_field.hpp"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "common/option.hpp"

namespace sistem {
namespace {

/// The number that the text begins with. Not of a date, a time or an address, which begin with one too.
std::optional<double> number_at_the_front(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t' || text.front() == '\n')) {
    text.remove_prefix(1);
  }
  if (text.starts_with('+')) {
    text.remove_prefix(1);
  }
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || !std::isfinite(number)) {
    return std::nullopt;
  }
  constexpr std::string_view no_unit = "-:./_";
  const bool goes_on = end != text.data() + text.size() && no_unit.find(*end) != std::string_view::npos;
  return goes_on ? std::nullopt : std::optional(number);
}

std::optional<double> number_of(const nlohmann::json& value) {
  if (value.is_number()) {
    return value.get<double>();
  }
  if (value.is_boolean()) {
    return value.get<bool>() ? 1 : 0;
  }
  return value.is_string() ? number_at_the_front(value.get_ref<const std::string&>()) : std::nullopt;
}

/// A member of an object or, by its number from 0, of an array.
const nlohmann::json* member(const nlohmann::json& of, const std::string& name) {
  if (of.is_object()) {
    const auto found = of.find(name);
    return found == of.end() ? nullptr : &*found;
  }
  std::size_t at = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), at);
  const bool is_index = error == std::errc{} && end == name.data() + name.size();
  return of.is_array() && is_index && at < of.size() ? &of[at] : nullptr;
}

}  // namespace

NumberField::NumberField(std::string_view path) : path_(path) {
  if (path == "payload" || path == ".") {
    return;
  }
  if (path.starts_with('.')) {
    path.remove_prefix(1);  // as jq has it
  }
  while (true) {
    const std::size_t point = path.find('.');
    const std::string_view name = path.substr(0, point);
    if (name.empty()) {
      throw Expected("expected payload, or the name of a JSON field such as temperature or a.b");
    }
    names_.emplace_back(name);
    if (point == std::string_view::npos) {
      return;
    }
    path.remove_prefix(point + 1);
  }
}

std::optional<double> NumberField::of(std::string_view payload) const {
  if (names_.empty()) {
    return number_at_the_front(payload);
  }
  const nlohmann::json json = nlohmann::json::parse(payload, nullptr, false);
  const nlohmann::json* at = &json;
  for (const std::string& name : names_) {
    at = member(*at, name);
    if (at == nullptr) {
      return std::nullopt;
    }
  }
  return number_of(*at);
}

}  // namespace sistem
