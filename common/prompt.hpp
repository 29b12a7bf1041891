#pragma once

#include <optional>
#include <stop_token>
#include <string>

namespace sistem {

[[nodiscard]] std::optional<std::string> ask_secret(const std::string& question, const std::stop_token& stop);

}  // namespace sistem
