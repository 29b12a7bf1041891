#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/text/words.hpp"

namespace sistem {

/// How a value reaches the field of a config struct, and how it is read back. The field must outlive the table.
struct Value {
  /// Takes one value. Throws Expected for one that it cannot take, and then leaves the field as it was.
  std::function<void(std::string_view)> set;
  /// What the field holds, as words that set() takes; none where it holds nothing.
  std::function<std::vector<std::string>()> get;
  /// Gives the field the value that it had when the table was made: its default.
  std::function<void()> reset;
  std::vector<std::string> choices = {};  ///< where only certain words are taken: all of them
  bool adds_up = false;                   ///< a repeated one adds to what is there; else the last one stays
};

// The kinds of values.
/// Gives what was expected where a text is wrong ("UTF-8"), and nothing where it is right.
using FaultOf = std::function<std::optional<std::string>(std::string_view)>;
/// Any text, or one that has no fault.
[[nodiscard]] Value text(std::string& field, FaultOf fault_of = {});
[[nodiscard]] Value text(std::optional<std::string>& field, FaultOf fault_of = {});
/// Text that must be something, and is called `expected` where it is not: "a host name or an address".
[[nodiscard]] Value nonempty(std::string& field, std::string expected);
/// true or false, yes or no, on or off, 1 or 0; on the command line its name alone is enough.
/// `inverse`: the field is what the option is not, as clean_session of --disable-clean-session.
[[nodiscard]] Value flag(bool& field, bool inverse = false);
/// Seconds, fractions too.
[[nodiscard]] Value seconds(std::optional<std::chrono::duration<double>>& field);
[[nodiscard]] Value seconds(std::chrono::duration<double>& field, Zero zero);
/// A whole number from `least` to `most`; `expected` overrides how the complaint names them.
template <std::integral Number>
[[nodiscard]] Value number(Number& field, std::int64_t least, std::int64_t most, std::string expected = {}) {
  return {[&field, least, most, expected = std::move(expected)](std::string_view value) {
            field = static_cast<Number>(whole_number(value, least, most, expected));
          },
          [&field, least] {
            const auto value = static_cast<std::int64_t>(field);
            return value < least ? std::vector<std::string>{} : std::vector{std::to_string(value)};
          },
          [&field, initial = field] { field = initial; }};
}
template <std::integral Number>
[[nodiscard]] Value number(std::optional<Number>& field, std::int64_t least, std::int64_t most) {
  return {
      [&field, least, most](std::string_view value) { field = static_cast<Number>(whole_number(value, least, most)); },
      [&field] { return field ? std::vector{std::to_string(*field)} : std::vector<std::string>{}; },
      [&field] { field.reset(); }};
}
/// A QoS; the same three everywhere.
[[nodiscard]] Value qos(int& field);
/// One word of several, each with its meaning. `also` are further spellings that are taken and not shown.
template <typename Meaning>
[[nodiscard]] Value choice(Meaning& field, std::vector<std::pair<std::string, Meaning>> words,
                           std::vector<std::pair<std::string, Meaning>> also = {});
/// Texts that add up, none of them with a fault.
[[nodiscard]] Value list(std::vector<std::string>& field, FaultOf fault_of);
/// What mosquitto's clients take and this tool cannot do: always refused, with the sentence that says why.
[[nodiscard]] Value impossible(std::string why);

/// Where an option may come from.
enum class Homes {
  all,
  not_in_a_file,     ///< it says which file
  command_line_only  ///< it asks for something to be shown
};

/// What completion offers for a value, where it is no set of words.
enum class Completes { nothing, file, directory, profile };

/// What an option asks of others.
struct Rule {
  std::string_view options;    ///< by their names, with blanks between them
  std::string_view why = {};   ///< as the end of a sentence: "it is the name of a key"; empty if that is plain
  std::string_view what = {};  ///< of what is needed: "a template", which those options are
};

/// What an option has to do with MQTT 5.
enum class Mqtt5 : std::uint8_t {
  unrelated,
  preferred,  ///< --request alone speaks MQTT 5, --request -V 311 MQTT 3.1.1
  implied,    ///< -D alone speaks MQTT 5, -D with -V 311 is refused
  needed,     ///< --no-local is refused without -V 5
};

/// One option: one row of the one table that the command line, the environment, options files, --help, the man page,
/// the completions and --show-config are read from. To add an option, add a field to a config struct and a row to the
/// function that lists its rows.
struct Option {
  std::string name;       ///< long name: `--name`, MQTT_NAME in the environment, `name` in a file
  char letter = 0;        ///< `-n`, or 0
  std::string value;      ///< what help calls its value; empty for a flag; "[=SECONDS]" where the value may be left out
  std::string section;    ///< the heading that help lists it under
  std::string_view help;  ///< one sentence or two, wrapped by help; a literal, since each start makes the whole table
  Value field;

  std::vector<std::string> aliases = {};  ///< further long names, of mosquitto's
  Homes homes = Homes::all;
  Completes completes = Completes::nothing;
  bool secret = false;              ///< never shown, saved or repeated in a complaint
  bool shared = false;              ///< both tools have it, with the same meaning
  std::string other_variable = {};  ///< of other programs, too: a home below the variable of its own
  /// Of the options of a group only one has a value: that of the home that wins.
  std::vector<std::string> groups = {};
  std::vector<Rule> needs = {};     ///< of each rule one option has to be given, too
  std::vector<Rule> excludes = {};  ///< and of these none
  Mqtt5 mqtt5 = Mqtt5::unrelated;
  /// For a value of several words: how many it takes, given those that there are already.
  std::function<std::size_t(const std::vector<std::string>&)> words = {};
  /// For an option that is short for others: those, by their names, with their values. `again`: it was given before,
  /// in the same home. Throws Expected.
  std::function<std::vector<std::pair<std::string, std::string>>(std::string_view, bool again)> stands_for = {};

  [[nodiscard]] bool is_flag() const { return value.empty(); }
  [[nodiscard]] bool may_omit_value() const { return value.starts_with("["); }
  [[nodiscard]] bool needs_value() const { return !is_flag() && !may_omit_value(); }
};

/// Whether a row is there only to say why mosquitto's option is not: its help begins so.
[[nodiscard]] bool is_refused(const Option& option);

/// The variable that is an option's home in the environment: MQTT_WAIT_FOR_BROKER.
[[nodiscard]] std::string variable_of(const std::string& name);

/// The row of a long name or an alias; nullptr where there is none.
[[nodiscard]] const Option* find_option(const std::vector<Option>& table, std::string_view name);
/// The row of a letter; nullptr where there is none.
[[nodiscard]] const Option* find_letter(const std::vector<Option>& table, char letter);

/// All long names, and the aliases behind each.
[[nodiscard]] std::vector<std::string> names_of(const std::vector<Option>& table);
/// The long names of those rows that are so, as a sentence lists them: "--host, --port".
[[nodiscard]] std::string listed(const std::vector<Option>& table, const std::function<bool(const Option&)>& is_so);
/// A name without the dashes before it.
[[nodiscard]] std::string without_dashes(const std::string& name);

/// A word of the command line that names options: `--name`, `--name=value`, `-vn`, `-vnvalue`.
struct OptionWord {
  std::vector<const Option*> options;  ///< of which only the last may have a value; none if the word names none
  std::optional<std::string> value;    ///< what of that value is in the word

  [[nodiscard]] bool needs_value() const { return !options.empty() && options.back()->needs_value(); }
  /// Whether the next word of the line belongs to it.
  [[nodiscard]] bool wants_more() const { return needs_value() && !value; }
};
[[nodiscard]] OptionWord option_word(const std::vector<Option>& table, const std::string& word);

/// Whether two of them are in a group together.
[[nodiscard]] bool are_rivals(const Option& one, const Option& other);

template <typename Meaning>
Value choice(Meaning& field, std::vector<std::pair<std::string, Meaning>> words,
             std::vector<std::pair<std::string, Meaning>> also) {
  std::vector<std::string> choices;
  choices.reserve(words.size());
  for (const auto& [word, meaning] : words) {
    choices.push_back(word);
  }
  const auto get = [&field, words] {
    for (const auto& [word, meaning] : words) {
      if (meaning == field) {
        return std::vector<std::string>{word};
      }
    }
    return std::vector<std::string>{};
  };
  const auto set = [&field, choices, words = std::move(words), also = std::move(also)](std::string_view value) {
    for (const auto* spellings : {&words, &also}) {
      for (const auto& [word, meaning] : *spellings) {
        if (word == value) {
          field = meaning;
          return;
        }
      }
    }
    throw Expected(expected_one_of(choices));
  };
  return {set, get, [&field, initial = field] { field = initial; }, choices};
}

}  // namespace sistem
