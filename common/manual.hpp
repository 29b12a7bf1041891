#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/settings.hpp"

namespace sistem {

/// `text` on lines of up to 80 columns, broken at blanks; all lines but the first begin with `indent` blanks. `text`
/// itself is thought to begin at column `start`.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t indent, std::size_t start = 0);

/// All of --help: 80 columns, grouped by section in the table's order, examples at the end. `table` is the whole one.
[[nodiscard]] std::string help_text(const std::vector<Option>& table, const ToolText& tool);

/// --help TOPIC: an option by any of its names or its letter, with or without dashes; a section, or the beginning of
/// its name, in any case; "exit" for the exit statuses. Throws UsageError, with the nearest, for anything else.
[[nodiscard]] std::string help_on(const std::string& topic, const std::vector<Option>& table, const ToolText& tool);

/// The man page, in man(7).
[[nodiscard]] std::string man_page(const std::vector<Option>& table, const ToolText& tool);

}  // namespace sistem
