#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sistem {

/// A line of an options file that says something.
struct OptionLine {
  std::string name;                  ///< as written, with dashes where it has some: `host`, `--host`, `-h`
  std::optional<std::string> value;  ///< to the end of the line, as it stands
  std::string where;                 ///< "lab.conf:3"
};

/// Reads an options file, the lines that are meant for `tool`. It holds the command line's own words, one option a
/// line: `--name value`, `-n value` or `--name=value`; the dashes may be left out, and then blanks may stand around the
/// equals sign. What follows the option is its value to the end of the line. Empty lines and those that begin with #
/// say nothing. Lines after `[pub]` or `[sub]` are for that tool alone. Throws UsageError; where the file cannot be
/// read, `home` names who asked for it.
[[nodiscard]] std::vector<OptionLine> read_options_file(const std::filesystem::path& file, const std::string& tool,
                                                        const std::string& home);

using Variables = std::map<std::string, std::string>;

/// $XDG_CONFIG_HOME, or ~/.config; nothing where neither is known.
[[nodiscard]] std::optional<std::filesystem::path> config_folder(const Variables& environment);

/// The options file of a profile: NAME.conf in `sistem` in the config folder. Throws UsageError for a name that is
/// none, which `home` names.
[[nodiscard]] std::filesystem::path profile_file(const std::string& name, const std::string& home,
                                                 const Variables& environment);

/// The names of all profiles, in order.
[[nodiscard]] std::vector<std::string> profiles(const Variables& environment);

/// Writes an options file that only its owner can read, in place of one that was there, as a whole or not at all.
/// Throws Error.
void write_options_file(const std::filesystem::path& file, const std::string& text);

}  // namespace sistem
