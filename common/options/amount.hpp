#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "common/options/option.hpp"

namespace sistem {

/// More of anything a second than anybody can send, and few enough to be reckoned with.
inline constexpr double fastest = 1e9;

/// A number at the beginning of `text`, which it is taken off from; nothing where there is none.
[[nodiscard]] std::optional<double> take_amount(std::string_view& text);

/// "250ms", "30s", "5m", "1.5h", "2d"; a number alone is seconds. Throws Expected for what is none, or not above 0.
[[nodiscard]] std::chrono::nanoseconds duration_of(std::string_view text);
[[nodiscard]] Value duration(std::optional<std::chrono::nanoseconds>& field);

/// A positive number of `what`: "messages a second".
[[nodiscard]] Value rate(std::optional<double>& field, const std::string& what);

}  // namespace sistem
