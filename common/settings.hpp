#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace sistem {

/// What a value should have been, as the end of a complaint: "expected 0, 1 or 2".
class Expected : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One option: one row of the one table that the command line, the environment and --help are read from.
/// To add an option, add a field to a config struct and a row to the function that lists its rows.
struct Option {
  std::string name;     ///< long name: `--name`, and MQTT_NAME in the environment
  char letter = 0;      ///< `-n`, or 0
  std::string value;    ///< what help calls its value; empty for a flag; "[=SECONDS]" where the value may be left out
  std::string section;  ///< the heading that help lists it under
  std::string help;     ///< one sentence or two, wrapped by help
  /// Takes the value into a field. Throws Expected for one that it cannot take.
  std::function<void(std::string_view)> set;
  /// For an option whose values add up: forgets them, because a home that wins has some of its own.
  std::function<void()> clear = {};

  [[nodiscard]] bool is_flag() const { return value.empty(); }
  [[nodiscard]] bool may_omit_value() const { return value.starts_with("["); }
};

// How a row's value reaches its field. The field must outlive the table.
using Setter = std::function<void(std::string_view)>;
[[nodiscard]] Setter text(std::string& field);
[[nodiscard]] Setter text(std::optional<std::string>& field);
/// What a word says: true for true, yes, on and 1, false for false, no, off and 0, in any case; else nothing.
[[nodiscard]] std::optional<bool> truth(std::string_view word);
/// true or false, yes or no, on or off, 1 or 0; on the command line its name alone is enough.
[[nodiscard]] Setter flag(bool& field);
/// Seconds, fractions too, above zero.
[[nodiscard]] Setter seconds(std::optional<std::chrono::duration<double>>& field);
/// A whole number from `least` to `most`; `expected` overrides how the complaint names them.
[[nodiscard]] std::int64_t whole_number(std::string_view text, std::int64_t least, std::int64_t most,
                                        const std::string& expected = {});
template <std::integral Number>
[[nodiscard]] Setter number(Number& field, std::int64_t least, std::int64_t most, std::string expected = {}) {
  return [&field, least, most, expected = std::move(expected)](std::string_view value) {
    field = static_cast<Number>(whole_number(value, least, most, expected));
  };
}
template <std::integral Number>
[[nodiscard]] Setter number(std::optional<Number>& field, std::int64_t least, std::int64_t most) {
  return
      [&field, least, most](std::string_view value) { field = static_cast<Number>(whole_number(value, least, most)); };
}

/// Looks a variable up: the process's environment, or a test's.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
[[nodiscard]] Environment process_environment();

/// Where values come from. Defaults are in the config structs; then the environment; then the command line.
struct Sources {
  std::vector<std::string> arguments;  ///< without the program's name
  Environment environment;
};

/// What --help says around the options.
struct ToolText {
  std::string name;     ///< "pub"
  std::string summary;  ///< one line under the usage line
  std::string examples;
  std::string (*libraries)();  ///< the versions of what it is built on, for --version
};

/// What reading the sources brought, beside the fields that it set.
struct Settings {
  std::optional<std::string> shown;          ///< what --help or --version asks to be shown on stdout: no more to do
  std::map<std::string, std::string> homes;  ///< by an option's name: where its value came from, `--qos` or `MQTT_QOS`

  /// Where an option got its value from, or would be given one on the command line.
  [[nodiscard]] std::string home_of(const std::string& name) const;
};

/// Reads every source through the table. Throws UsageError, which names the home of the bad value:
/// `--qos: expected 0, 1 or 2, got "7"`, `MQTT_QOS: ...`. An empty variable is none.
[[nodiscard]] Settings read_settings(const std::vector<Option>& table, const ToolText& tool, const Sources& sources);

/// The variable that is an option's home in the environment: MQTT_WAIT_FOR_BROKER.
[[nodiscard]] std::string variable_of(const Option& option);

/// All of --help: 80 columns, grouped by section in the table's order.
[[nodiscard]] std::string help_text(const std::vector<Option>& table, const ToolText& tool);

}  // namespace sistem
