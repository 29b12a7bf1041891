#include "common/prompt.hpp"
namespace sistem {
std::optional<std::string> ask_secret(const std::string&, const std::stop_token&) { return std::nullopt; }
}  // namespace sistem
