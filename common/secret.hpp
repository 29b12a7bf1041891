#pragma once

#include <filesystem>
#include <string>

namespace sistem {

/// The content of a password file without the newline that ends it.
[[nodiscard]] std::string read_secret(const std::filesystem::path& file, bool readable_by_all_is_fine);

}  // namespace sistem
