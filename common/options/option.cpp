#include "common/options/option.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sistem {
namespace {

void check(std::string_view value, const FaultOf& fault_of) {
  if (const auto fault = fault_of ? fault_of(value) : std::nullopt) {
    throw Expected("expected " + *fault);
  }
}

}  // namespace

Value text(std::string& field, FaultOf fault_of) {
  return {[&field, fault_of = std::move(fault_of)](std::string_view value) {
            check(value, fault_of);
            field = value;
          },
          [&field] { return field.empty() ? std::vector<std::string>{} : std::vector{field}; },
          [&field, initial = field] { field = initial; }};
}

Value text(std::optional<std::string>& field, FaultOf fault_of) {
  return {[&field, fault_of = std::move(fault_of)](std::string_view value) {
            check(value, fault_of);
            field = std::string(value);
          },
          [&field] { return field ? std::vector{*field} : std::vector<std::string>{}; }, [&field] { field.reset(); }};
}

Value nonempty(std::string& field, std::string expected) {
  return text(field, [expected = std::move(expected)](std::string_view value) {
    return value.empty() ? std::optional(expected) : std::nullopt;
  });
}

Value flag(bool& field, bool inverse) {
  return {[&field, inverse](std::string_view value) {
            const auto answer = truth(value);
            if (!answer) {
              throw Expected("expected true or false");
            }
            field = *answer != inverse;
          },
          [&field, inverse] { return std::vector<std::string>{field != inverse ? "true" : "false"}; },
          [&field, initial = field] { field = initial; }};
}

Value seconds(std::optional<std::chrono::duration<double>>& field) {
  return {[&field](std::string_view value) { field = seconds_of(value); },
          [&field] { return field ? std::vector{fmt::format("{}", field->count())} : std::vector<std::string>{}; },
          [&field] { field.reset(); }};
}

Value seconds(std::chrono::duration<double>& field, Zero zero) {
  return {[&field, zero](std::string_view value) { field = seconds_of(value, zero); },
          [&field] { return std::vector{fmt::format("{}", field.count())}; },
          [&field, initial = field] { field = initial; }};
}

Value qos(int& field) {
  Value value = number(field, 0, 2, "expected 0, 1 or 2");
  value.choices = {"0", "1", "2"};
  return value;
}

Value list(std::vector<std::string>& field, FaultOf fault_of) {
  return {[&field, fault_of = std::move(fault_of)](std::string_view value) {
            check(value, fault_of);
            field.emplace_back(value);
          },
          [&field] { return field; },
          [&field] { field.clear(); },
          {},
          true};
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
