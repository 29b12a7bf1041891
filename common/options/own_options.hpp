#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/options/options_file.hpp"
#include "common/options/settings.hpp"

namespace sistem {

/// What a user asks the table of options itself.
struct OwnOptions {
  std::string options_file;
  std::string profile;
  std::string save_profile;
  bool list_profiles = false;
  bool show_config = false;
  std::optional<std::string> help;
  bool version = false;
  bool man = false;
  std::string_view completion;  ///< the script for a shell
};

/// Its rows in the table.
[[nodiscard]] std::vector<Option> own_rows(OwnOptions& request);

/// What can be shown without looking at any value, or nothing.
[[nodiscard]] std::optional<std::string> shown_first(const OwnOptions& request, const std::vector<Option>& table,
                                                     const ToolText& tool, const Variables& environment);

/// What --show-config shows.
[[nodiscard]] std::string config_text(const std::vector<Option>& table, const Settings& settings);

/// What --save-profile saves. Throws UsageError for a value that no file can hold.
[[nodiscard]] std::string profile_text(const std::vector<Option>& table, const Settings& settings,
                                       const ToolText& tool);

}  // namespace sistem
