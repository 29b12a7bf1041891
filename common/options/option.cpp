#include "common/options/option.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

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

using Nanoseconds = std::chrono::nanoseconds;
using Seconds = std::chrono::duration<double>;

/// A century: no run is longer, and all its nanoseconds can be counted.
constexpr double longest_time = 100.0 * 366 * 24 * 3600;

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

Value file(std::string& field) { return completed(nonempty_text(field, "a file"), Completes::file); }

Value folder(std::string& field) { return completed(nonempty_text(field, "a directory"), Completes::directory); }

Value completed(Value value, Completes completes) {
  value.completes = completes;
  return value;
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

Value qos(int& field) {
  Value value = number(field, 0, 2, "expected 0, 1 or 2");
  value.choices = {"0", "1", "2"};
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
  const auto row = std::ranges::find_if(table, [&](const Option& option) {
    return option.name == name || std::ranges::find(option.aliases, name) != option.aliases.end();
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
  const auto row = std::ranges::find(table, letter, &Option::letter);
  return row == table.end() || letter == 0 ? nullptr : &*row;
}

std::optional<double> take_amount(std::string_view& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc{} || !std::isfinite(number)) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

Value rate(std::optional<double>& field, const std::string& what) {
  const auto read = [what](std::string_view text) {
    const auto number = take_amount(text);
    if (!number || !text.empty() || *number <= 0 || *number > fastest) {
      throw Expected(fmt::format("expected {}, above 0", what));
    }
    return *number;
  };
  return parsed(field, read, [](double held) { return fmt::format("{}", held); });
}

Nanoseconds duration_of(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, double>, 7> units{
      {{"", 1}, {"us", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}}};
  if (const auto number = take_amount(text)) {
    for (const auto& [unit, seconds] : units) {
      const double length = *number * seconds;
      if (text == unit && length >= 1e-9 && length <= longest_time) {
        return std::chrono::round<Nanoseconds>(Seconds(length));
      }
    }
  }
  throw Expected("expected a time above 0, as 30s, 5m, 1h or 250ms");
}

Value duration(std::optional<Nanoseconds>& field) {
  return parsed(field, duration_of, [](Nanoseconds held) { return fmt::format("{}", Seconds(held).count()); });
}

Value report_format(std::optional<ReportFormat>& field) {
  Value value = choice<std::optional<ReportFormat>>(
      field, {{"text", ReportFormat::text}, {"json", ReportFormat::json}, {"csv", ReportFormat::csv}});
  value.set = [&field, set = std::move(value.set)](std::string_view text) {
    const auto answer = on_or_off(text);
    if (answer == false) {
      field.reset();
    } else {
      set(answer ? "text" : text);
    }
  };
  return value;
}

}  // namespace sistem
