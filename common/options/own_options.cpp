#include "common/options/own_options.hpp"

#include <fmt/format.h>

#include <utility>

#include "common/options/completion.hpp"
#include "common/options/manual.hpp"
#include "common/options/options_file.hpp"
#include "common/process/error.hpp"
#include "common/text/words.hpp"
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
  if (row.size() < column) {
    row.append(column - row.size(), ' ');
  }
  const std::string origin = "  " + home;
  // One that is too long for the line goes under it.
  return row.size() + origin.size() > screen_width && row.size() > column
             ? fmt::format("{}\n{:>{}}\n", row, home, screen_width)
             : row + origin + "\n";
}

}  // namespace

std::vector<Option> own_rows(OwnOptions& request) {
  const std::string files = "Options files";
  const std::string help = "Help";
  const auto topic = [&request] { return request.help ? std::vector{*request.help} : std::vector<std::string>{}; };
  return {
      {.name = "options-file",
       .letter = 'o',
       .value = "FILE",
       .section = files,
       .help = "Read options from this file, one a line: a long name and its value.",
       .field = nonempty(request.options_file, "a file"),
       .homes = Homes::not_in_a_file,
       .completes = Completes::file,
       .shared = true,
       .groups = {"options file"}},
      {.name = "profile",
       .value = "NAME",
       .section = files,
       .help = "Read the options file NAME.conf in ~/.config/sistem. Without one: default.conf there, if there is one.",
       .field = nonempty(request.profile, "a profile's name"),
       .homes = Homes::not_in_a_file,
       .completes = Completes::profile,
       .shared = true,
       .groups = {"options file"}},
      {.name = "save-profile",
       .value = "NAME",
       .section = files,
       .help = "Save all options that are given now, but no secrets, as a profile, and end.",
       .field = nonempty(request.save_profile, "a profile's name"),
       .homes = Homes::command_line_only,
       .completes = Completes::profile,
       .shared = true},
      {.name = "list-profiles",
       .section = files,
       .help = "List the names of all profiles.",
       .field = flag(request.list_profiles),
       .homes = Homes::command_line_only,
       .shared = true},
      {.name = "show-config",
       .section = files,
       .help = "Show the value of every option and where it came from, and end.",
       .field = flag(request.show_config),
       .homes = Homes::command_line_only,
       .shared = true},
      {.name = "help",
       .value = "[=TOPIC]",
       .section = help,
       .help = "Show this, or only what TOPIC is: an option, the beginning of a section's name, or exit for the exit "
               "statuses.",
       .field = {[&request](std::string_view value) { request.help = std::string(value); }, topic,
                 [&request] { request.help.reset(); }},
       .homes = Homes::command_line_only,
       .shared = true},
      {.name = "version",
       .section = help,
       .help = "Show the versions of this tool and of the Paho libraries.",
       .field = flag(request.version),
       .homes = Homes::command_line_only,
       .shared = true},
      {.name = "man",
       .section = help,
       .help = "Write the man page.",
       .field = flag(request.man),
       .homes = Homes::command_line_only,
       .shared = true},
      {.name = "completion",
       .value = "SHELL",
       .section = help,
       .help = "Write the script with which bash, zsh or fish completes the options.",
       .field = choice(request.completion, completion_scripts()),
       .homes = Homes::command_line_only,
       .shared = true},
  };
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
    if (option.homes != Homes::all || option.stands_for) {
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
          throw UsageError(
              fmt::format("{}: a profile cannot hold a value of several lines", settings.home_of(option.name)));
        }
        lines += fmt::format("--{}={}\n", option.name, value);
      }
    }
    text += shared || lines.empty() ? lines : fmt::format("\n[{}]\n{}", tool.name, lines);
  }
  return text;
}

}  // namespace sistem
