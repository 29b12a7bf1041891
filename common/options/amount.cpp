#include "common/options/amount.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

namespace sistem {
namespace {

using Nanoseconds = std::chrono::nanoseconds;
using Seconds = std::chrono::duration<double>;

/// A century: no run is longer, and all its nanoseconds can be counted.
constexpr double longest_time = 100.0 * 366 * 24 * 3600;

}  // namespace

std::optional<double> take_amount(std::string_view& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc{} || !std::isfinite(number)) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

Value rate(std::optional<double>& field, const std::string& what) {
  const auto read = [what](std::string_view text) {
    const auto number = take_amount(text);
    if (!number || !text.empty() || *number <= 0 || *number > fastest) {
      throw Expected(fmt::format("expected {}, above 0", what));
    }
    return *number;
  };
  return parsed(field, read, [](double held) { return fmt::format("{}", held); });
}

Nanoseconds duration_of(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, double>, 7> units{
      {{"", 1}, {"us", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}}};
  if (const auto number = take_amount(text)) {
    for (const auto& [unit, seconds] : units) {
      const double length = *number * seconds;
      if (text == unit && length >= 1e-9 && length <= longest_time) {
        return std::chrono::round<Nanoseconds>(Seconds(length));
      }
    }
  }
  throw Expected("expected a time above 0, as 30s, 5m, 1h or 250ms");
}

Value duration(std::optional<Nanoseconds>& field) {
  return parsed(field, duration_of, [](Nanoseconds held) { return fmt::format("{}", Seconds(held).count()); });
}

}  // namespace sistem
