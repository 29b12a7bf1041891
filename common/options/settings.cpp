#include "common/options/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cxxopts.hpp>
#include <iterator>

#include "common/options/completion.hpp"
#include "common/options/options_file.hpp"
#include "common/options/own_options.hpp"
#include "common/options/secret.hpp"
#include "common/process/child.hpp"
#include "common/process/error.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

/// A value that a home has for an option, before it is set.
struct Given {
  const Option* option;
  std::string value;
  Home home;
};

// The command line --------------------------------------------------------------------------------------------

/// cxxopts knows options with one value, and takes no newline in a word that holds both. So an option and its value
/// become two words, a value of several words becomes one, and `--help TOPIC` at the end of the line, too.
std::vector<std::string> with_one_word_values(const std::vector<Option>& table,
                                              const std::vector<std::string>& arguments) {
  std::vector<std::string> line;
  for (auto word = arguments.begin(); word != arguments.end(); ++word) {
    if (*word == "--") {
      line.insert(line.end(), word, arguments.end());
      break;
    }
    const OptionWord read = option_word(table, *word);
    if (*word == "--help" && arguments.end() - word == 2) {
      line.push_back("--help=" + *++word);
      continue;
    }
    if (!read.needs_value()) {
      line.push_back(*word);
      continue;
    }
    if (read.options.size() > 1) {
      line.push_back(word->substr(0, read.options.size()));  // the flags before it
    }
    const Option& option = *read.options.back();
    line.push_back("--" + option.name);
    std::vector<std::string> words;
    while (!read.value && word + 1 != arguments.end() && words.size() < (option.words ? option.words(words) : 1)) {
      words.push_back(*++word);
    }
    if (!read.value && !option.words && words.empty()) {
      throw UsageError(fmt::format("--{}: expected {} after it", option.name, option.value));
    }
    line.push_back(read.value ? *read.value : option.words ? joined(words) : words.front());
  }
  return line;
}

cxxopts::Options parser_of(const std::vector<Option>& table, const std::string& tool) {
  cxxopts::Options parser{tool};
  auto add = parser.add_options();
  for (const Option& option : table) {
    const auto add_name = [&](const std::string& names) {
      // cxxopts only splits the line into pairs: what a value means is the row's business, in every home alike.
      auto value = cxxopts::value<std::string>();
      if (!option.needs_value()) {
        value->implicit_value("");
      }
      add(names, "", value);
    };
    add_name(option.letter != 0 ? fmt::format("{},{}", option.letter, option.name) : option.name);
    std::for_each(option.aliases.begin(), option.aliases.end(), add_name);
  }
  return parser;
}

UsageError unmatched(const std::string& word, const std::vector<Option>& table, const std::string& tool) {
  if (!word.starts_with("-") || word == "-") {
    return UsageError(
        fmt::format("command line: \"{}\" is no option, and {} takes nothing else", shortened(word), tool));
  }
  const std::string name = word.substr(0, word.find('='));
  const std::string meant = name.starts_with("--") ? suggestion(name.substr(2), names_of(table), "--")
                            : name.size() > 2      ? suggestion(name.substr(1), names_of(table), "--")
                                                   : "";
  return UsageError(fmt::format("command line: no such option: {}{}", shortened(name), meant));
}

/// The words of the command line as values of options, in the order they were written.
std::vector<Given> read_command_line(const std::vector<Option>& table, const std::string& tool,
                                     const std::vector<std::string>& arguments) {
  const std::vector<std::string> line = with_one_word_values(table, arguments);
  std::vector<const char*> argv{tool.c_str()};
  for (const std::string& word : line) {
    argv.push_back(word.c_str());
  }
  cxxopts::Options parser = parser_of(table, tool);
  parser.allow_unrecognised_options();  // they are told below, in our words
  try {
    const auto result = parser.parse(static_cast<int>(argv.size()), argv.data());
    if (!result.unmatched().empty()) {
      throw unmatched(result.unmatched().front(), table, tool);
    }
    std::vector<Given> values;
    for (const auto& pair : result.arguments()) {
      const Option* option = find_option(table, pair.key());
      values.push_back({option,
                        option->is_flag() && pair.value().empty() ? "true" : pair.value(),
                        {Level::command_line, "--" + option->name}});
    }
    return values;
  } catch (const cxxopts::exceptions::parsing& wrong) {
    throw UsageError(fmt::format("command line: {}", shortened(wrong.what())));
  }
}

// The environment ---------------------------------------------------------------------------------------------

/// Kubernetes describes a service named "mqtt" to every container by variables, MQTT_PORT among them.
bool is_of_kubernetes(const std::string& variable, const std::string& value) {
  return variable == "MQTT_PORT" && (value.starts_with("tcp://") || value.starts_with("udp://"));
}

std::vector<Given> read_environment(const std::vector<Option>& table, const Variables& environment,
                                    const std::function<void(const std::string&)>& note) {
  std::map<std::string, const Option*> options;
  std::vector<std::string> known;
  for (const Option& option : table) {
    if (option.homes != Homes::command_line_only) {
      known.push_back(variable_of(option.name));
      options[known.back()] = &option;
    }
  }
  std::vector<Given> values;
  for (const Option& option : table) {
    const auto other = option.other_variable.empty() ? environment.end() : environment.find(option.other_variable);
    if (other != environment.end() && !other->second.empty()) {
      values.push_back({&option, other->second, {Level::environment, other->first}});
    }
  }
  for (const auto& [name, value] : environment) {
    const auto option = options.find(name);
    if (!name.starts_with("MQTT_") || value.empty()) {
      continue;  // empty is what compose files and scripts leave where they mean none
    }
    if (option == options.end()) {
      if (const auto meant = nearest(name, known, 1)) {
        note(
            fmt::format("{} is no variable of this tool and has no effect; did you mean {}?", shortened(name), *meant));
      }
    } else if (is_of_kubernetes(name, value)) {
      note(fmt::format("ignoring {}={}, which Kubernetes sets for a service named mqtt", name, shortened(value)));
    } else {
      // One that adds up may have several lines.
      for (const std::string& line : option->second->field.repeatable ? pieces(value, "\n") : std::vector{value}) {
        if (!line.empty()) {
          values.push_back({option->second, line, {Level::environment, name}});
        }
      }
    }
  }
  return values;
}

// Options files -----------------------------------------------------------------------------------------------

const Option* option_of_line(const std::vector<Option>& table, const OptionLine& line) {
  if (line.name.starts_with("--")) {
    return find_option(table, line.name.substr(2));
  }
  if (line.name.starts_with("-")) {
    return line.name.size() == 2 ? find_letter(table, line.name[1]) : nullptr;
  }
  return find_option(table, line.name);
}

/// An options file, and who asked for it.
struct File {
  std::filesystem::path path;
  std::string home;
};

std::vector<Given> read_file(const File& file, const std::vector<Option>& table, const std::string& tool) {
  std::vector<Given> values;
  for (OptionLine& line : read_options_file(file.path, tool, file.home)) {
    const Option* option = option_of_line(table, line);
    if (option == nullptr) {
      throw UsageError(fmt::format("{}: {} has no such option: {}{}", line.where, tool, shortened(line.name),
                                   suggestion(without_dashes(line.name), names_of(table))));
    }
    if (option->homes != Homes::all) {
      throw UsageError(fmt::format("{}: {}: an options file cannot hold this option", line.where, option->name));
    }
    const std::string home = fmt::format("{}: {}", line.where, option->name);
    if (!line.value && option->needs_value()) {
      throw UsageError(fmt::format("{}: expected {} after it", home, option->value));
    }
    values.push_back({option, line.value.value_or(option->is_flag() ? "true" : ""), {Level::file, home}});
  }
  return values;
}

/// The options file to read, where there is one: the one that was asked for must exist, the others need not.
std::optional<File> options_file(const OwnOptions& request, const Settings& settings, const ToolText& tool,
                                 const Variables& environment) {
  if (!request.options_file.empty()) {
    return File{request.options_file, settings.home_of("options-file")};
  }
  if (!request.profile.empty()) {
    const std::string home = settings.home_of("profile");
    return File{profile_file(request.profile, home, environment), home};
  }
  const auto folder = config_folder(environment);
  if (!folder) {
    return std::nullopt;
  }
  const auto file = settings.drop_in ? *folder / tool.drop_in_for : *folder / "sistem" / "default.conf";
  std::error_code none;
  return std::filesystem::exists(file, none) ? std::optional(File{file, "default options file"}) : std::nullopt;
}

// Setting values ----------------------------------------------------------------------------------------------

/// Of the options of a group the home that wins has the one that counts.
void win_over_group(const Option& option, const Home& home, const std::vector<Option>& table, Settings& settings) {
  for (const Option& other : table) {
    const auto rival = settings.homes.find(other.name);
    if (!are_rivals(option, other) || rival == settings.homes.end() || rival->second.is_negated) {
      continue;
    }
    if (rival->second.level == home.level) {
      throw UsageError(fmt::format("{} and {}: only one of them can be given", rival->second.name, home.name));
    }
    other.field.reset();
    settings.homes.erase(rival);
  }
}

void set(const Given& given, const std::vector<Option>& table, Settings& settings) {
  const Option& option = *given.option;
  try {
    if (option.expands_to) {
      const auto before = settings.homes.find(option.name);
      const bool again = before != settings.homes.end() && before->second.level == given.home.level;
      for (const auto& [name, value] : option.expands_to(given.value, again)) {
        set({find_option(table, name), value, given.home}, table, settings);
      }
      settings.homes[option.name] = given.home;
      return;
    }
    Home home = given.home;
    const auto& choices = option.field.choices;
    home.is_negated = option.is_flag() ? truth(given.value) == false
                                       : given.value == "off" && std::ranges::find(choices, "off") != choices.end();
    if (!home.is_negated) {
      win_over_group(option, home, table, settings);
    }
    const auto known = settings.homes.find(option.name);
    // mosquitto's own files add to what is typed.
    const bool adds_to_file = settings.drop_in && known != settings.homes.end() && known->second.level == Level::file;
    if (option.field.repeatable && !adds_to_file &&
        (known == settings.homes.end() || known->second.level != given.home.level)) {
      option.field.reset();
    }
    option.field.set(given.value);
    settings.homes[option.name] = home;
  } catch (const Expected& expected) {
    throw UsageError(option.secret
                         ? fmt::format("{}: {}", given.home.name, expected.what())
                         : fmt::format("{}: {}, got \"{}\"", given.home.name, expected.what(), shortened(given.value)));
  }
}

const std::string version = "protocol-version";

/// Without another version being asked for, an option that means MQTT 5 brings it.
void bring_mqtt5(const Option& option, const Option* version_row, Settings& settings) {
  const bool brings = option.mqtt5 == Mqtt5::preferred || option.mqtt5 == Mqtt5::implied;
  if (brings && !settings.given(version)) {
    version_row->field.set("5");
    settings.homes[version] = settings.homes[option.name];
  }
}

void check_mqtt5(const Option& option, const Option* version_row, const Settings& settings) {
  const bool asks = option.mqtt5 == Mqtt5::needed || option.mqtt5 == Mqtt5::implied;
  if (!asks || version_row->field.get() == std::vector<std::string>{"mqttv5"}) {
    return;
  }
  throw UsageError(
      option.mqtt5 == Mqtt5::needed
          ? fmt::format("{} needs MQTT 5: --{} 5", settings.home_of(option.name), version)
          : fmt::format("{} and {}: only MQTT 5 has that", settings.home_of(option.name), settings.home_of(version)));
}

std::string in_words(const std::string& rule, std::string_view why) {
  return why.empty() ? rule : fmt::format("{}: {}", rule, why);
}

void check_excludes(const Option& option, const Settings& settings) {
  for (const Rule& rule : option.excludes) {
    for (const std::string& other : split(rule.options)) {
      const bool is_ignored = rule.outranks && settings.given(other) &&
                              settings.homes.at(other).level < settings.homes.at(option.name).level;
      if (!is_ignored) {
        check_both(settings, option.name, other, rule.why);
      }
    }
  }
}

void check_needs(const Option& option, const Settings& settings) {
  for (const Rule& rule : option.needs) {
    const auto others = split(rule.options);
    if (std::none_of(others.begin(), others.end(), [&](const auto& other) { return settings.given(other); })) {
      throw UsageError(fmt::format("{} needs {}", settings.home_of(option.name), in_words(rule)));
    }
  }
}

}  // namespace

Sources process_sources(int argc, char** argv, const std::stop_token& stop) {
  Sources sources;
  sources.ask_secret = [stop](const std::string& question) { return ask_secret(question, stop); };
  sources.called_as = argc > 0 ? argv[0] : "";
  sources.arguments.assign(argv + std::min(argc, 1), argv + argc);
  sources.environment = environment();
  return sources;
}

bool Settings::given(const std::string& name) const {
  const auto home = homes.find(name);
  return home != homes.end() && !home->second.is_negated;
}

bool Settings::is_typed(const std::string& name) const {
  const auto home = homes.find(name);
  return home != homes.end() && home->second.level == Level::command_line;
}

std::string Settings::home_of(const std::string& name) const {
  const auto home = homes.find(name);
  return home == homes.end() ? "--" + name : home->second.name;
}

std::optional<Settings> read_settings(ToolOptions tool, const Sources& sources, Output& output,
                                      const Console& console) {
  OwnOptions request;
  std::vector<Option>& table = tool.table;
  std::ranges::move(own_rows(request), std::back_inserter(table));
  const auto show = [&](const std::string& text) {
    output.write(text);
    output.flush();
    return std::nullopt;
  };
  Settings settings;
  settings.drop_in = std::filesystem::path(sources.called_as).filename() == tool.text.drop_in_for;

  if (const auto answer = completion_answer(sources.arguments, table, tool.text, sources.environment)) {
    return show(*answer);
  }
  const auto typed = read_command_line(table, tool.text.name, sources.arguments);
  const auto exported = read_environment(table, sources.environment, [&](const std::string& note) {
    if (!settings.drop_in) {
      console.note(note);
    }
  });
  const auto set_all = [&](const std::vector<Given>& values, bool own) {
    for (const Given& given : values) {
      if ((given.option->homes != Homes::all) == own) {
        set(given, table, settings);
      }
    }
  };
  set_all(exported, true);
  set_all(typed, true);
  if (const auto text = shown_first(request, table, tool.text, sources.environment)) {
    return show(*text);
  }
  if (const auto file = options_file(request, settings, tool.text, sources.environment)) {
    set_all(read_file(*file, table, tool.text.name), false);
  }
  set_all(exported, false);
  set_all(typed, false);
  check_rules(table, settings);
  tool.check(settings);

  if (!request.save_profile.empty()) {
    const auto file = profile_file(request.save_profile, "--save-profile", sources.environment);
    std::error_code none;
    const char* done = std::filesystem::exists(file, none) ? "replaced" : "saved";
    write_options_file(file, profile_text(table, settings, tool.text));
    console.note(fmt::format("{} profile {}: {}", done, request.save_profile, file.string()));
    for (const Option& option : table) {
      if (option.secret && settings.homes.contains(option.name)) {
        console.note(fmt::format("{} is not in it: what may be secret is not saved", option.name));
      }
    }
    return std::nullopt;
  }
  if (request.show_config) {
    return show(config_text(table, settings));
  }
  return settings;
}

void check_both(const Settings& settings, const std::string& one, const std::string& other, std::string_view why) {
  if (settings.given(one) && settings.given(other)) {
    throw UsageError(fmt::format("{} and {}: {}", settings.home_of(one), settings.home_of(other), why));
  }
}

void refuse(const Settings& settings, const std::string& option, std::string_view what) {
  throw UsageError(fmt::format("{}: {}", settings.home_of(option), what));
}

void refuse(const Settings& settings, const std::string& option, std::string_view expected, std::string_view got) {
  refuse(settings, option, fmt::format("{}, got \"{}\"", expected, shortened(got)));
}

std::string in_words(const Rule& rule) {
  auto names = split(rule.options);
  for (std::string& name : names) {
    name.insert(0, "--");
  }
  return rule.what.empty() ? in_words(one_of(names), rule.why) : in_words(std::string(rule.what), one_of(names));
}

void check_rules(const std::vector<Option>& table, Settings& settings) {
  std::vector<const Option*> given;
  for (const Option& option : table) {
    if (settings.given(option.name)) {
      given.push_back(&option);
      settings.ends_when_met = settings.ends_when_met || option.ends_run == EndsRun::when_met;
    }
  }
  const Option* const version_row = find_option(table, version);  // a table of these kinds of options has it
  for (const Option* option : given) {
    bring_mqtt5(*option, version_row, settings);
  }
  for (const Option* option : given) {
    check_excludes(*option, settings);
  }
  for (const Option* option : given) {
    check_needs(*option, settings);
    check_mqtt5(*option, version_row, settings);
  }
}

}  // namespace sistem
