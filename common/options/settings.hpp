#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "common/options/option.hpp"
#include "common/process/console.hpp"
#include "common/process/output.hpp"

namespace sistem {

/// The world that values come from. Defaults are in the config structs; then options files, which are found by the
/// environment; then the environment; then the command line.
struct Sources {
  std::vector<std::string> arguments;              ///< without the program's name
  std::map<std::string, std::string> environment;  ///< all of it
  std::string called_as = {};                      ///< the program's name, with or without its folder
  /// Asks a person for a secret; nothing where there is none to ask, or they stopped.
  std::function<std::optional<std::string>(const std::string& question)> ask_secret = {};
};

/// The process's own; on a terminal a person is asked there, until a stop.
[[nodiscard]] Sources process_sources(int argc, char** argv, const std::stop_token& stop);

/// A home of values, in the order in which they win.
enum class Level { by_default, file, environment, command_line };

/// Where a value came from, as a complaint names it: `--qos`, `MQTT_QOS`, `lab.conf:3: qos`.
struct Home {
  Level level = Level::by_default;
  std::string name;
  bool is_negated = false;  ///< a flag that was set to false: nothing is asked for by it
};

/// What reading the sources brought, beside the fields that it set.
struct Settings {
  std::map<std::string, Home> homes;  ///< by an option's name, where it has a value that is no default
  bool drop_in = false;               ///< called by the name of mosquitto's client
  bool ends_when_met = false;         ///< an option is given that ends the run when what it waits for is there

  /// Whether something is asked for by an option; a flag that says false asks for nothing.
  [[nodiscard]] bool given(const std::string& name) const;
  /// Whether it was typed on the command line.
  [[nodiscard]] bool is_typed(const std::string& name) const;
  /// Where an option got its value from, or would be given one on the command line.
  [[nodiscard]] std::string home_of(const std::string& name) const;
};

/// What a tool says of itself around its options.
struct ToolText {
  std::string name;            ///< "pub"
  std::string summary;         ///< one line: what it does, for the man page's NAME
  std::string description;     ///< a paragraph or two, separated by an empty line
  std::string examples;        ///< pairs of lines: a comment that begins with #, a command
  std::string drop_in_for;     ///< "mosquitto_pub"
  std::string (*libraries)();  ///< the versions of what it is built on, for --version

  std::vector<std::string> synopsis = {};  ///< further ways to call it, without its name: "-t TOPIC -m PAYLOAD"
  std::string_view chapters = {};  ///< of this tool alone, as in common/options/chapters.txt, which has those of both
};

/// A tool's options: their rows, and the rules between them.
struct ToolOptions {
  ToolText text;
  std::vector<Option> table;
  /// Looks at all values together, and gives those their values that follow from others. Throws UsageError.
  std::function<void(Settings&)> check;
};

/// Reads every home through the table and checks. Nothing where the tool was asked for something that is now written to
/// `output` and should not go on: help, a version, the settings themselves. Throws UsageError, which names the home of
/// the bad value: `--qos: expected 0, 1 or 2, got "7"`, `MQTT_QOS: ...`, `lab.conf:3: qos: ...`. An empty variable is
/// none.
[[nodiscard]] std::optional<Settings> read_settings(ToolOptions tool, const Sources& sources, Output& output,
                                                    const Console& console);

/// Checks what the rows say of each other, has those bring MQTT 5 that mean it, and notes whether one ends the run.
/// Throws UsageError: "--psk needs --psk-identity: the broker finds the key by its name".
void check_rules(const std::vector<Option>& table, Settings& settings);

/// Throws UsageError if both are given: "--psk and --cafile: a key that both sides know, or certificates, not both".
void check_both(const Settings& settings, const std::string& one, const std::string& other, std::string_view why);

/// Throws UsageError about the value of an option: "--host: expected a host name or an address, got "a/b"".
[[noreturn]] void refuse(const Settings& settings, const std::string& option, std::string_view what);
[[noreturn]] void refuse(const Settings& settings, const std::string& option, std::string_view expected,
                         std::string_view got);

/// The options that a rule names, and why: "--cert, --key or --psk: with TLS or without".
[[nodiscard]] std::string in_words(const Rule& rule);

}  // namespace sistem
