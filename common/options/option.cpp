#include "common/options/option.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sistem {
namespace {

/// Reads a text as it is, if it has no fault.
auto faultless(FaultOf fault_of) {
  return [fault_of = std::move(fault_of)](std::string_view text) {
    if (const auto fault = fault_of ? fault_of(text) : std::nullopt) {
      throw Expected("expected " + *fault);
    }
    return std::string(text);
  };
}

std::string words_of_seconds(std::chrono::duration<double> time) { return fmt::format("{}", time.count()); }

}  // namespace

Value text(std::string& field, FaultOf fault_of) {
  return parsed(field, faultless(std::move(fault_of)),
                [](const std::string& held) { return held.empty() ? std::nullopt : std::optional(held); });
}

Value text(std::optional<std::string>& field, FaultOf fault_of) {
  return parsed(field, faultless(std::move(fault_of)), std::identity{});
}

Value nonempty_text(std::string& field, std::string expected) {
  return text(field, [expected = std::move(expected)](std::string_view value) {
    return value.empty() ? std::optional(expected) : std::nullopt;
  });
}

Value list(std::vector<std::string>& field, FaultOf fault_of) {
  return parsed_list(field, faultless(std::move(fault_of)), std::identity{});
}

Value flag(bool& field, bool inverse) {
  return parsed(
      field,
      [inverse](std::string_view text) {
        const auto answer = truth(text);
        if (!answer) {
          throw Expected("expected true or false");
        }
        return *answer != inverse;
      },
      [inverse](bool held) { return held != inverse ? "true" : "false"; });
}

std::optional<bool> on_or_off(std::string_view value) { return value.empty() ? std::optional(true) : truth(value); }

Value seconds(std::optional<std::chrono::duration<double>>& field) {
  return parsed(
      field, [](std::string_view text) { return seconds_of(text); }, words_of_seconds);
}

Value seconds(std::chrono::duration<double>& field, Zero zero) {
  return parsed(
      field, [zero](std::string_view text) { return seconds_of(text, zero); }, words_of_seconds);
}

Value qos(int& field) {
  Value value = number(field, 0, 2, "expected 0, 1 or 2");
  value.choices = {"0", "1", "2"};
  return value;
}

Value word(std::string& field, std::vector<std::string> words) {
  Value value = text(field);
  value.choices = words;
  value.set = [set = std::move(value.set), words = std::move(words)](std::string_view text) {
    if (std::ranges::find(words, text) == words.end()) {
      throw Expected(expected_one_of(words));
    }
    set(text);
  };
  return value;
}

Value impossible(std::string why) {
  return {[why = std::move(why)](std::string_view) { throw Expected(why); }, [] { return std::vector<std::string>{}; },
          [] {}};
}

bool is_refused(const Option& option) { return option.help.starts_with("Refused:"); }

std::string variable_of(const std::string& name) {
  std::string variable = "MQTT_" + in_capitals(name);
  std::replace(variable.begin(), variable.end(), '-', '_');
  return variable;
}

const Option* find_option(const std::vector<Option>& table, std::string_view name) {
  const auto row = std::find_if(table.begin(), table.end(), [&](const Option& option) {
    return option.name == name || std::find(option.aliases.begin(), option.aliases.end(), name) != option.aliases.end();
  });
  return row == table.end() ? nullptr : &*row;
}

std::vector<std::string> names_of(const std::vector<Option>& table) {
  std::vector<std::string> names;
  for (const Option& option : table) {
    names.push_back(option.name);
    names.insert(names.end(), option.aliases.begin(), option.aliases.end());
  }
  return names;
}

std::string listed(const std::vector<Option>& table, const std::function<bool(const Option&)>& is_so) {
  std::string names;
  for (const Option& option : table) {
    if (is_so(option)) {
      names += (names.empty() ? "--" : ", --") + option.name;
    }
  }
  return names;
}

std::string without_dashes(const std::string& name) {
  return name.substr(std::min(name.find_first_not_of('-'), name.size()));
}

OptionWord option_word(const std::vector<Option>& table, const std::string& word) {
  OptionWord read;
  if (word.starts_with("--")) {
    const std::size_t equals = std::min(word.find('='), word.size());
    if (const Option* option = find_option(table, word.substr(2, equals - 2))) {
      read.options = {option};
      read.value = equals < word.size() ? std::optional(word.substr(equals + 1)) : std::nullopt;
    }
    return read;
  }
  for (std::size_t at = 1; word.starts_with('-') && at < word.size() && !read.value; ++at) {
    const Option* option = find_letter(table, word[at]);
    if (option == nullptr) {
      return {};
    }
    read.options.push_back(option);
    if (!option->is_flag() && at + 1 < word.size()) {
      read.value = word.substr(at + 1);
    }
  }
  return read;
}

bool are_rivals(const Option& one, const Option& other) {
  return one.name != other.name && std::find_first_of(one.groups.begin(), one.groups.end(), other.groups.begin(),
                                                      other.groups.end()) != one.groups.end();
}

const Option* find_letter(const std::vector<Option>& table, char letter) {
  const auto row = std::find_if(table.begin(), table.end(),
                                [&](const Option& option) { return option.letter != 0 && option.letter == letter; });
  return row == table.end() ? nullptr : &*row;
}

}  // namespace sistem
