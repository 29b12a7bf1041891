#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/options/options_file.hpp"
#include "common/options/settings.hpp"

namespace sistem {

/// The shells that completion is written for, each with its script, in which @tool@ stands for the tool's name.
[[nodiscard]] const std::vector<std::pair<std::string_view, std::string_view>>& completion_scripts();

/// Answers a script, which asks at each TAB: `--complete -- WORD...`, the words up to the cursor, the last of which is
/// being typed. Nothing if the command line asks something else. `table` is the whole one. The lines of an answer:
/// what may stand at the cursor, which is `words`, `files` or `folders`; the beginning of the last word that is no part
/// of it, as `--qos=`; and the words, a tab and a description behind those that have one.
[[nodiscard]] std::optional<std::string> completion_answer(const std::vector<std::string>& arguments,
                                                           const std::vector<Option>& table, const ToolText& tool,
                                                           const Variables& environment);

}  // namespace sistem
