#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/measure/report.hpp"
#include "common/text/words.hpp"

namespace sistem {

/// What completion offers for a value, where it is no set of words.
enum class Completes { nothing, file, directory, profile };

/// How a value reaches the field of a config struct, and how it is read back. The field must outlive the table.
struct Value {
  /// Takes one value. Throws Expected for one that it cannot take, and then leaves the field as it was.
  std::function<void(std::string_view)> set;
  /// What the field holds, as words that set() takes; empty if it holds nothing.
  std::function<std::vector<std::string>()> get;
  /// Gives the field the value that it had when the table was made: its default.
  std::function<void()> reset;
  std::vector<std::string> choices = {};  ///< if only certain words are taken: all of them
  bool repeatable = false;                ///< a repeated one adds to what is there; else the last one stays
  Completes completes = Completes::nothing;
};

// The kinds of values.
/// Any field: `read` makes what it shall hold of a text, or throws Expected; `words_of` gives that back as a text, or
/// nothing if there is nothing to say. An optional field without a value has no words.
template <typename Field, typename Read, typename WordsOf>
[[nodiscard]] Value parsed(Field& field, Read read, WordsOf words_of);
/// The same for a field that each value adds an item to.
template <typename Item, typename Read, typename WordsOf>
[[nodiscard]] Value parsed_list(std::vector<Item>& field, Read read, WordsOf words_of);
/// Gives what was expected if a text is wrong ("UTF-8"), and nothing if it is right; may throw Expected itself.
using FaultOf = std::function<std::optional<std::string>(std::string_view)>;
/// A FaultOf: what cannot be made of a text throws Expected.
template <typename Made>
std::optional<std::string> fault_as(std::string_view text) {
  (void)Made{text};
  return std::nullopt;
}
/// Any text, or one that has no fault.
[[nodiscard]] Value text(std::string& field, FaultOf fault_of = {});
[[nodiscard]] Value text(std::optional<std::string>& field, FaultOf fault_of = {});
/// Text that must not be empty, and is called `expected` if it is: "a host name or an address".
[[nodiscard]] Value nonempty_text(std::string& field, std::string expected);
/// The name of a file or of a folder.
[[nodiscard]] Value file(std::string& field);
[[nodiscard]] Value folder(std::string& field);
/// A value that completion helps with.
[[nodiscard]] Value completed(Value value, Completes completes);
/// Texts that add up, none of them with a fault.
[[nodiscard]] Value list(std::vector<std::string>& field, FaultOf fault_of = {});
/// true or false, yes or no, on or off, 1 or 0; on the command line its name alone is enough.
/// `inverse`: the field is what the option is not, as clean_session of --disable-clean-session.
[[nodiscard]] Value flag(bool& field, bool inverse = false);
/// Whether an option whose value may be left out is asked for or not: true without a value. Nothing for another word.
[[nodiscard]] std::optional<bool> on_or_off(std::string_view value);
/// Seconds, fractions too; the field may be optional.
template <typename Field>
[[nodiscard]] Value seconds(Field& field, Zero zero = Zero::refused);
/// A whole number, which may be optional, from `least` to `most`; `expected` overrides how the complaint names them.
template <typename Field>
[[nodiscard]] Value number(Field& field, std::int64_t least, std::int64_t most = 1'000'000'000'000'000,
                           std::string expected = {});
/// A QoS; the same three everywhere.
[[nodiscard]] Value qos(int& field);
/// One word of several, each with its meaning. `also` are further spellings that are taken and not shown.
template <typename Meaning>
[[nodiscard]] Value choice(Meaning& field, std::vector<std::pair<std::string_view, Meaning>> words,
                           std::vector<std::pair<std::string_view, Meaning>> also = {});
/// What mosquitto's clients take and this tool cannot do: always refused, with the sentence that says why.
[[nodiscard]] Value impossible(std::string why);

/// Where an option may come from.
enum class Homes {
  all,
  not_in_a_file,     ///< it says which file
  command_line_only  ///< it asks for something to be shown
};

/// What an option asks of others.
struct Rule {
  std::string_view options;    ///< by their names, with blanks between them
  std::string_view why = {};   ///< as the end of a sentence: "it is the name of a key"; empty if that is plain
  std::string_view what = {};  ///< of what is needed: "a template", which those options are
  bool outranks = false;       ///< what is excluded is ignored where it comes from a home that loses to this option's
};

/// What an option has to do with MQTT 5.
enum class Mqtt5 : std::uint8_t {
  unrelated,
  preferred,  ///< --request alone speaks MQTT 5, --request -V 311 MQTT 3.1.1
  implied,    ///< -D alone speaks MQTT 5, -D with -V 311 is refused
  needed,     ///< --no-local is refused without -V 5
};

/// How an option ends the run.
enum class EndsRun : std::uint8_t {
  never,
  when_met,  ///< --count, --until: what it waits for is there
  in_time,   ///< --timeout, --idle: a time has passed
};

/// How help shows an option: "-h, --host HOST", "--ws", "--wait-for-broker[=SECONDS]". A malformed one does not
/// compile.
struct Signature {
  char letter = 0;
  std::string_view name = {};
  std::string_view value = {};

  consteval Signature(const char* text) {
    std::string_view rest = text;
    if (rest.size() > 4 && rest[1] != '-') {
      require(rest[0] == '-' && rest.substr(2, 2) == ", ");
      letter = rest[1];
      rest.remove_prefix(4);
    }
    require(rest.starts_with("--"));
    rest.remove_prefix(2);
    name = rest.substr(0, rest.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"));
    value = rest.substr(name.size());
    require(name.size() > 1 && (value.empty() || (value.starts_with("[=") && value.ends_with("]")) ||
                                (value.starts_with(' ') && value.size() > 1)));
    value.remove_prefix(value.starts_with(' ') ? 1 : 0);
  }

 private:
  static consteval void require(bool is_right) {
    if (!is_right) {
      throw "expected -l, --name VALUE";  // no constant: the compiler complains here
    }
  }
};

/// What only some options have.
struct Traits {
  std::vector<std::string> aliases = {};  ///< further long names, of mosquitto's
  Homes homes = Homes::all;
  bool secret = false;              ///< never shown, saved or repeated in a complaint
  bool shared = false;              ///< both tools have it, with the same meaning
  std::string other_variable = {};  ///< of other programs, too: a home below the variable of its own
  /// Of the options of a group only one has a value: that of the home that wins.
  std::vector<std::string> groups = {};
  std::vector<Rule> needs = {};     ///< of each rule one option has to be given, too
  std::vector<Rule> excludes = {};  ///< and of these none
  Mqtt5 mqtt5 = Mqtt5::unrelated;
  EndsRun ends_run = EndsRun::never;
  /// For a value of several words: how many it takes, given those that there are already.
  std::function<std::size_t(const std::vector<std::string>&)> words = {};
  /// For an option that is short for others: those, by their names, with their values. `again`: it was given before,
  /// in the same home. Throws Expected.
  std::function<std::vector<std::pair<std::string, std::string>>(std::string_view, bool again)> expands_to = {};
};

/// Traits of which there is but one: a rule.
[[nodiscard]] inline Traits needs(std::string_view options, std::string_view why = {}) {
  return {.needs = {{options, why}}};
}
[[nodiscard]] inline Traits excludes(std::string_view options, std::string_view why) {
  return {.excludes = {{options, why}}};
}

/// One option: one row of the one table that the command line, the environment, options files, --help, the man page,
/// the completions and --show-config are read from. To add an option, add a field to a config struct and a row to the
/// function that lists its rows.
struct Option : Traits {
  /// `help_text`: a literal, since each start makes the whole table.
  Option(const Signature& signature, std::string_view help_text, Value value_of_field, Traits traits = {})
      : Traits(std::move(traits)),
        name(signature.name),
        letter(signature.letter),
        value(signature.value),
        help(help_text),
        field(std::move(value_of_field)) {}

  std::string name;       ///< long name: `--name`, MQTT_NAME in the environment, `name` in a file
  char letter = 0;        ///< `-n`, or 0
  std::string value;      ///< what help calls its value; empty for a flag; "[=SECONDS]" where the value may be left out
  std::string section;    ///< the heading that help lists it under
  std::string_view help;  ///< one sentence or two, wrapped by help
  Value field;

  [[nodiscard]] bool is_flag() const { return value.empty(); }
  [[nodiscard]] bool may_omit_value() const { return value.starts_with("["); }
  [[nodiscard]] bool needs_value() const { return !is_flag() && !may_omit_value(); }
};

/// Whether a row is there only to say why mosquitto's option is not: its help begins so.
[[nodiscard]] bool is_refused(const Option& option);

/// The rows that help lists under one heading.
struct Section {
  std::string_view heading;
  std::vector<Option> rows;
};

/// The rows of all sections, in their order. `shared`: both tools have them, with the same meaning.
template <std::size_t count>
[[nodiscard]] std::vector<Option> table_of(Section (&&sections)[count], bool shared = false) {
  std::vector<Option> table;
  for (Section& section : sections) {
    for (Option& row : section.rows) {
      row.section = section.heading;
      row.shared = row.shared || shared;
      table.push_back(std::move(row));
    }
  }
  return table;
}

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

/// What a field holds, or may hold.
template <typename Field>
struct HeldBy {
  using Type = Field;
};
template <typename Held>
struct HeldBy<std::optional<Held>> {
  using Type = Held;
};

template <typename Field, typename Read, typename WordsOf>
Value parsed(Field& field, Read read, WordsOf words_of) {
  constexpr bool is_optional = !std::same_as<Field, typename HeldBy<Field>::Type>;
  auto get = [&field, words_of = std::move(words_of)] {
    std::optional<std::string> words;
    if constexpr (is_optional) {
      words = field ? std::optional<std::string>(words_of(*field)) : std::nullopt;
    } else {
      words = words_of(field);
    }
    return words ? std::vector{*std::move(words)} : std::vector<std::string>{};
  };
  Value value{[&field, read = std::move(read)](std::string_view text) { field = read(text); }, std::move(get), {}};
  if constexpr (is_optional) {
    value.reset = [&field] { field.reset(); };
  } else {
    value.reset = [&field, initial = field] { field = initial; };
  }
  return value;
}

template <typename Item, typename Read, typename WordsOf>
Value parsed_list(std::vector<Item>& field, Read read, WordsOf words_of) {
  auto get = [&field, words_of = std::move(words_of)] {
    std::vector<std::string> values;
    for (const Item& item : field) {
      if (std::optional<std::string> words = words_of(item)) {
        values.push_back(*std::move(words));
      }
    }
    return values;
  };
  return {.set = [&field, read = std::move(read)](std::string_view text) { field.push_back(read(text)); },
          .get = std::move(get),
          .reset = [&field] { field.clear(); },
          .repeatable = true};
}

template <typename Field>
Value seconds(Field& field, Zero zero) {
  return parsed(
      field, [zero](std::string_view text) { return seconds_of(text, zero); },
      [](std::chrono::duration<double> held) { return fmt::format("{}", held.count()); });
}

template <typename Field>
Value number(Field& field, std::int64_t least, std::int64_t most, std::string expected) {
  using Number = typename HeldBy<Field>::Type;
  return parsed(
      field,
      [least, most, expected = std::move(expected)](std::string_view text) {
        return static_cast<Number>(whole_number(text, least, most, expected));
      },
      [least](Number held) { return std::cmp_less(held, least) ? std::nullopt : std::optional(std::to_string(held)); });
}

template <typename Meaning>
Value choice(Meaning& field, std::vector<std::pair<std::string_view, Meaning>> words,
             std::vector<std::pair<std::string_view, Meaning>> also) {
  std::vector<std::string> choices;
  choices.reserve(words.size());
  for (const auto& [word, meaning] : words) {
    choices.emplace_back(word);
  }
  auto words_of = [words](const auto& held) -> std::optional<std::string> {
    const auto row = std::ranges::find_if(words, [&](const auto& one) { return one.second == held; });
    return row == words.end() ? std::nullopt : std::optional<std::string>(row->first);
  };
  auto read = [choices, words = std::move(words), also = std::move(also)](std::string_view text) {
    for (const auto* spellings : {&words, &also}) {
      for (const auto& [word, meaning] : *spellings) {
        if (word == text) {
          return meaning;
        }
      }
    }
    throw Expected(expected_one_of(choices));
  };
  Value value = parsed(field, std::move(read), std::move(words_of));
  value.choices = std::move(choices);
  return value;
}

/// An upper limit for rates: beyond any real one, and small enough not to overflow.
inline constexpr double fastest = 1e9;

/// A number at the beginning of `text`, which it is taken off from; nothing where there is none.
[[nodiscard]] std::optional<double> take_amount(std::string_view& text);

/// "250ms", "30s", "5m", "1.5h", "2d"; a number alone is seconds. Throws Expected for what is none, or not above 0.
[[nodiscard]] std::chrono::nanoseconds duration_of(std::string_view text);
[[nodiscard]] Value duration(std::optional<std::chrono::nanoseconds>& field);

/// A positive number of `what`: "messages a second".
[[nodiscard]] Value rate(std::optional<double>& field, const std::string& what);

/// The value of --report[=FORMAT]: as a flag, it is text.
[[nodiscard]] Value report_format(std::optional<ReportFormat>& field);

}  // namespace sistem
