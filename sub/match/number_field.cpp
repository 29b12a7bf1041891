#include "sub/match/number_field.hpp"

#include <charconv>
#include <cmath>

#include "common/text/words.hpp"

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

std::optional<double> number_of(std::string_view json) {
  switch (json.front()) {
    case '"': return number_at_the_front(unquoted(json));
    case 't': return 1;
    case 'f': return 0;
    default: return number_at_the_front(json);  // nothing of null, of an object and of an array
  }
}

}  // namespace

NumberField::NumberField(std::string_view path) : path_(path) {
  if (path == "payload" || path == ".") {
    return;
  }
  try {
    field_.emplace(path);
  } catch (const Expected&) {
    throw Expected("expected payload, or the name of a JSON field such as temperature or a.b");
  }
}

std::optional<double> NumberField::of(std::string_view payload) const {
  if (!field_) {
    return number_at_the_front(payload);
  }
  const auto value = take_json(payload) ? field_->find(payload) : std::nullopt;
  return value ? number_of(*value) : std::nullopt;
}

}  // namespace sistem
