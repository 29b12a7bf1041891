#include "common/options/own_options.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/options/completion.hpp"
#include "common/options/manual.hpp"
#include "common/options/options_file.hpp"
#include "common/options/settings.hpp"
#include "common/version.hpp"

namespace sistem {
namespace {

std::string version_text(const ToolText& tool) {
  return fmt::format("{} {}\n{}\n", tool.name, project_version, tool.libraries());
}

constexpr std::size_t screen_width = 80;

std::string config_row(const std::string& name, const std::string& value, const std::string& home) {
  std::string row = fmt::format("  {:<24} {}", name, value);
  const std::size_t column = 48;
  row.append(column - std::min(row.size(), column), ' ');
  const std::string origin = "  " + home;
  // One that is too long for the line goes under it.
  return row.size() + origin.size() > screen_width && row.size() > column
             ? fmt::format("{}\n{:>{}}\n", row, home, screen_width)
             : row + origin + "\n";
}

const Traits asks_to_show{.homes = Homes::command_line_only};

Value profile(std::string& field) { return completed(nonempty_text(field, "a profile's name"), Completes::profile); }

std::vector<Option> file_rows(OwnOptions& request) {
  const Traits names_a_file{.homes = Homes::not_in_a_file, .groups = {"options file"}};
  return {
      {"-o, --options-file FILE", "Read options from this file, one a line: a long name and its value.",
       file(request.options_file), names_a_file},
      {"--profile NAME",
       "Read the options file NAME.conf in ~/.config/sistem. Without this option default.conf there is read, if it "
       "exists.",
       profile(request.profile), names_a_file},
      {"--save-profile NAME", "Save all options that are given now, except secrets, as a profile, and exit.",
       profile(request.save_profile), asks_to_show},
      {"--list-profiles", "List the names of all profiles.", flag(request.list_profiles), asks_to_show},
      {"--show-config", "Show the value of every option and where it came from, and exit.", flag(request.show_config),
       asks_to_show},
  };
}

std::vector<Option> help_rows(OwnOptions& request) {
  return {
      {"--help[=TOPIC]",
       "Show this help, or only the part about TOPIC: an option, the beginning of a section's name, or exit for the "
       "exit statuses.",
       text(request.help), asks_to_show},
      {"--version", "Show the versions of this tool and of the Paho libraries.", flag(request.version), asks_to_show},
      {"--man", "Write the man page.", flag(request.man), asks_to_show},
      {"--completion SHELL", "Write the script that completes the options in bash, zsh or fish.",
       choice(request.completion, completion_scripts()), asks_to_show},
  };
}

}  // namespace

std::vector<Option> own_rows(OwnOptions& request) {
  return table_of({{"Options files", file_rows(request)}, {"Help", help_rows(request)}}, true);
}

std::optional<std::string> shown_first(const OwnOptions& request, const std::vector<Option>& table,
                                       const ToolText& tool, const Variables& environment) {
  if (request.help) {
    return request.help->empty() ? help_text(table, tool) : help_on(*request.help, table, tool);
  }
  if (request.version) {
    return version_text(tool);
  }
  if (request.man) {
    return man_page(table, tool);
  }
  if (!request.completion.empty()) {
    return filled(std::string(request.completion), {{"@tool@", tool.name}});
  }
  if (request.list_profiles) {
    std::string names;
    for (const std::string& name : profiles(environment)) {
      names += name + "\n";
    }
    return names;
  }
  return std::nullopt;
}

std::string config_text(const std::vector<Option>& table, const Settings& settings) {
  std::string text;
  std::string section;
  std::string unset;
  const auto end_section = [&] {
    text += unset.empty() ? "" : "  not set: " + wrapped(unset, 11, 11) + "\n";
    unset.clear();
  };
  for (const Option& option : table) {
    if (option.homes != Homes::all || option.expands_to) {
      continue;
    }
    if (option.section != section) {
      end_section();
      section = option.section;
      text += fmt::format("{}{}:\n", text.empty() ? "" : "\n", section);
    }
    const bool read_from_file = option.secret && !settings.homes.contains(option.name);  // whose row says it
    const std::vector<std::string> values = read_from_file ? std::vector<std::string>{} : option.field.get();
    const std::string home = settings.homes.contains(option.name) ? settings.home_of(option.name) : "default";
    for (const std::string& value : values) {
      text += config_row(option.name, option.secret ? "********" : value, home);
    }
    if (values.empty()) {
      unset += (unset.empty() ? "" : ", ") + option.name;
    }
  }
  end_section();
  return text;
}

std::string profile_text(const std::vector<Option>& table, const Settings& settings, const ToolText& tool) {
  std::string text = fmt::format("# saved by {} --save-profile\n", tool.name);
  for (const bool shared : {true, false}) {
    std::string lines;
    for (const Option& option : table) {
      if (option.homes != Homes::all || option.shared != shared || !settings.homes.contains(option.name)) {
        continue;
      }
      if (option.secret) {
        lines += fmt::format("# {} is a secret and not saved\n", option.name);
        continue;
      }
      for (const std::string& value : option.field.get()) {
        if (value.find_first_of("\r\n") != std::string::npos) {
          refuse(settings, option.name, "a profile cannot hold a value of several lines");
        }
        lines += fmt::format("--{}={}\n", option.name, value);
      }
    }
    text += shared || lines.empty() ? lines : fmt::format("\n[{}]\n{}", tool.name, lines);
  }
  return text;
}

}  // namespace sistem
