#include "common/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cxxopts.hpp>

#include "common/error.hpp"
#include "common/version.hpp"

namespace sistem {
namespace {

constexpr std::size_t help_width = 80;
constexpr std::size_t help_column = 29;  // where the explanations begin

bool equal_ignoring_case(std::string_view one, std::string_view other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                    [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
}

void set(const Option& option, const std::string& home, std::string_view value, Settings& settings) {
  std::string& known_home = settings.homes[option.name];
  if (option.clear && known_home != home) {
    option.clear();
  }
  known_home = home;
  try {
    option.set(value);
  } catch (const Expected& expected) {
    throw UsageError(fmt::format("{}: {}, got \"{}\"", home, expected.what(), value));
  }
}

void read_environment(const std::vector<Option>& table, const Environment& environment, Settings& settings) {
  for (const Option& option : table) {
    const std::string variable = variable_of(option);
    // An empty one is what compose files and scripts leave where they mean none.
    if (const auto value = environment(variable); value && !value->empty()) {
      set(option, variable, *value, settings);
    }
  }
}

cxxopts::Options parser_of(const std::vector<Option>& table, const std::string& tool) {
  cxxopts::Options parser{tool};
  auto add = parser.add_options();
  const auto add_row = [&](char letter, const std::string& name, bool takes_value, bool may_omit_value) {
    const std::string names = letter != 0 ? fmt::format("{},{}", letter, name) : name;
    // cxxopts only splits the line into pairs: what a value means is the row's business, in every home alike.
    auto value = cxxopts::value<std::string>();
    if (!takes_value || may_omit_value) {
      value->implicit_value("");
    }
    add(names, "", value);
  };
  for (const Option& option : table) {
    add_row(option.letter, option.name, !option.is_flag(), option.may_omit_value());
  }
  add_row(0, "help", false, false);
  add_row(0, "version", false, false);
  return parser;
}

/// What stands where cxxopts names an option in a complaint, whose words and quotes differ from version to version:
/// "Option 't' is missing an argument".
std::string named_in(const std::string& complaint) {
  const auto is_of_name = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-'; };
  const auto start = std::find_if(complaint.begin() + static_cast<std::ptrdiff_t>(std::string("Option ").size()),
                                  complaint.end(), is_of_name);
  return {start, std::find_if_not(start, complaint.end(), is_of_name)};
}

/// The words of the command line as pairs, in the order they were written.
std::vector<cxxopts::KeyValue> parse(const std::vector<Option>& table, const ToolText& tool,
                                     const std::vector<std::string>& arguments) {
  std::vector<const char*> argv{tool.name.c_str()};
  for (const std::string& word : arguments) {
    argv.push_back(word.c_str());
  }
  cxxopts::Options parser = parser_of(table, tool.name);
  parser.allow_unrecognised_options();  // they are told below, in our words
  try {
    const auto result = parser.parse(static_cast<int>(argv.size()), argv.data());
    if (!result.unmatched().empty()) {
      const std::string word = result.unmatched().front();
      throw UsageError(
          word.starts_with("-")
              ? fmt::format("command line: no such option: {}", word.substr(0, word.find('=')))
              : fmt::format("command line: \"{}\" is no option, and {} takes nothing else", word, tool.name));
    }
    return result.arguments();
  } catch (const cxxopts::exceptions::parsing& wrong) {
    const std::string name = named_in(wrong.what());
    for (const Option& option : table) {
      if (option.name == name || (name.size() == 1 && option.letter == name.front())) {
        throw UsageError(fmt::format("--{}: expected {} after it", option.name, option.value));
      }
    }
    throw UsageError(fmt::format("command line: {}", wrong.what()));
  }
}

void read_command_line(const std::vector<Option>& table, const std::vector<cxxopts::KeyValue>& pairs,
                       Settings& settings) {
  for (const auto& pair : pairs) {
    const auto row =
        std::find_if(table.begin(), table.end(), [&](const Option& option) { return option.name == pair.key(); });
    set(*row, "--" + row->name, row->is_flag() && pair.value().empty() ? "true" : pair.value(), settings);
  }
}

std::string version_text(const ToolText& tool) {
  return fmt::format("{} {}\n{}\n", tool.name, project_version, tool.libraries());
}

std::string wrapped(std::string_view sentence, std::size_t indent) {
  std::string text;
  std::size_t column = indent;
  while (!sentence.empty()) {
    const std::size_t space = sentence.find(' ');
    const std::string_view word = sentence.substr(0, space);
    if (column > indent && column + 1 + word.size() > help_width) {
      text += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      text += ' ';
      ++column;
    }
    text += word;
    column += word.size();
    sentence.remove_prefix(space == std::string_view::npos ? sentence.size() : space + 1);
  }
  return text;
}

std::string help_row(const Option& option) {
  const std::string letter = option.letter != 0 ? fmt::format("-{}, ", option.letter) : "    ";
  const std::string value = option.may_omit_value() || option.is_flag() ? option.value : " " + option.value;
  std::string row = fmt::format("  {}--{}{}", letter, option.name, value);
  row +=
      row.size() + 1 < help_column ? std::string(help_column - row.size(), ' ') : "\n" + std::string(help_column, ' ');
  return row + wrapped(option.help, help_column) + "\n";
}

}  // namespace

Setter text(std::string& field) {
  return [&field](std::string_view value) { field = value; };
}

Setter text(std::optional<std::string>& field) {
  return [&field](std::string_view value) { field = std::string(value); };
}

std::optional<bool> truth(std::string_view word) {
  const auto is_one_of = [&](std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view one) { return equal_ignoring_case(word, one); });
  };
  if (is_one_of({"true", "yes", "on", "1"})) {
    return true;
  }
  return is_one_of({"false", "no", "off", "0"}) ? std::optional(false) : std::nullopt;
}

Setter flag(bool& field) {
  return [&field](std::string_view value) {
    const auto answer = truth(value);
    if (!answer) {
      throw Expected("expected true or false");
    }
    field = *answer;
  };
}

Setter seconds(std::optional<std::chrono::duration<double>>& field) {
  return [&field](std::string_view value) {
    double count = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), count);
    if (error != std::errc{} || end != value.data() + value.size() || !std::isfinite(count) || count <= 0) {
      throw Expected("expected seconds above 0");
    }
    field = std::chrono::duration<double>(count);
  };
}

std::int64_t whole_number(std::string_view text, std::int64_t least, std::int64_t most, const std::string& expected) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most) {
    throw Expected(expected.empty() ? fmt::format("expected a whole number from {} to {}", least, most) : expected);
  }
  return value;
}

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
  };
}

std::string variable_of(const Option& option) {
  std::string variable = "MQTT_" + option.name;
  std::transform(variable.begin(), variable.end(), variable.begin(),
                 [](unsigned char c) { return c == '-' ? '_' : static_cast<char>(std::toupper(c)); });
  return variable;
}

std::string help_text(const std::vector<Option>& table, const ToolText& tool) {
  std::string text = fmt::format("Usage: {} [OPTION]...\n{}\n", tool.name, wrapped(tool.summary, 0));
  std::vector<std::string> sections;
  for (const Option& option : table) {
    if (std::find(sections.begin(), sections.end(), option.section) == sections.end()) {
      sections.push_back(option.section);
    }
  }
  for (const std::string& section : sections) {
    text += fmt::format("\n{}:\n", section);
    for (const Option& option : table) {
      text += option.section == section ? help_row(option) : "";
    }
  }
  text += "\nHelp:\n";
  text += help_row({"help", 0, "", "", "Show this.", {}});
  text += help_row({"version", 0, "", "", "Show the versions of this tool and of the Paho libraries.", {}});
  text += "\n" +
          wrapped(
              "Every option can also be set by a variable, its name in capitals after MQTT_: --host by "
              "MQTT_HOST. The command line wins.",
              0) +
          "\n";
  return text + "\nExamples:\n" + tool.examples;
}

std::string Settings::home_of(const std::string& name) const {
  const auto home = homes.find(name);
  return home == homes.end() ? "--" + name : home->second;
}

Settings read_settings(const std::vector<Option>& table, const ToolText& tool, const Sources& sources) {
  Settings settings;
  const auto pairs = parse(table, tool, sources.arguments);
  for (const auto& pair : pairs) {
    if (pair.key() == "help" || pair.key() == "version") {
      settings.shown = pair.key() == "help" ? help_text(table, tool) : version_text(tool);
      return settings;
    }
  }
  read_environment(table, sources.environment, settings);
  read_command_line(table, pairs, settings);
  return settings;
}

}  // namespace sistem
