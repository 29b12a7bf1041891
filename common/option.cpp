#include "common/option.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

namespace sistem {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

bool needs_quotes(std::string_view word) {
  return word.empty() || word.front() == '"' || std::any_of(word.begin(), word.end(), is_blank);
}

/// Takes a word in quotation marks off the front of `text`.
std::string take_quoted(std::string_view& text) {
  std::string word;
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (text[at] == '"') {
      text.remove_prefix(at + 1);
      return word;
    }
    if (text[at] == '\\' && at + 1 < text.size()) {
      ++at;
    }
    word += text[at];
  }
  throw Expected("expected a quotation that ends");
}

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

std::optional<bool> truth(std::string_view word) {
  const auto is_one_of = [small = in_small_letters(word)](std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), small) != words.end();
  };
  if (is_one_of({"true", "yes", "on", "1"})) {
    return true;
  }
  return is_one_of({"false", "no", "off", "0"}) ? std::optional(false) : std::nullopt;
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

std::chrono::duration<double> seconds_of(std::string_view text, Zero zero) {
  double count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(count) || count < 0 ||
      (count == 0 && zero == Zero::refused)) {
    throw Expected(zero == Zero::refused ? "expected seconds above 0" : "expected seconds, 0 or more");
  }
  return std::chrono::duration<double>(count);
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

std::int64_t whole_number(std::string_view text, std::int64_t least, std::int64_t most, const std::string& expected) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most) {
    throw Expected(expected.empty() ? fmt::format("expected a whole number from {} to {}", least, most) : expected);
  }
  return value;
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

std::string expected_one_of(const std::vector<std::string>& words) {
  std::string text = "expected ";
  for (std::size_t at = 0; at < words.size(); ++at) {
    text += at == 0 ? "" : at + 1 == words.size() ? " or " : ", ";
    text += words[at];
  }
  return text;
}

std::string in_small_letters(std::string_view text) {
  std::string small(text);
  std::transform(small.begin(), small.end(), small.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return small;
}

std::string variable_of(const std::string& name) {
  std::string variable = "MQTT_" + name;
  std::transform(variable.begin(), variable.end(), variable.begin(),
                 [](unsigned char c) { return c == '-' ? '_' : static_cast<char>(std::toupper(c)); });
  return variable;
}

const Option* find_option(const std::vector<Option>& table, std::string_view name) {
  const auto row = std::find_if(table.begin(), table.end(), [&](const Option& option) {
    return option.name == name || std::find(option.aliases.begin(), option.aliases.end(), name) != option.aliases.end();
  });
  return row == table.end() ? nullptr : &*row;
}

const Option* find_letter(const std::vector<Option>& table, char letter) {
  const auto row = std::find_if(table.begin(), table.end(),
                                [&](const Option& option) { return option.letter != 0 && option.letter == letter; });
  return row == table.end() ? nullptr : &*row;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += text.empty() ? "" : " ";
    if (!needs_quotes(word)) {
      text += word;
      continue;
    }
    text += '"';
    for (const char c : word) {
      text += c == '"' || c == '\\' ? "\\" : "";
      text += c;
    }
    text += '"';
  }
  return text;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> words;
  while (true) {
    while (!text.empty() && is_blank(text.front())) {
      text.remove_prefix(1);
    }
    if (text.empty()) {
      return words;
    }
    if (text.front() == '"') {
      words.push_back(take_quoted(text));
      continue;
    }
    const auto end = std::find_if(text.begin(), text.end(), is_blank);
    words.emplace_back(text.begin(), end);
    text.remove_prefix(words.back().size());
  }
}

}  // namespace sistem
