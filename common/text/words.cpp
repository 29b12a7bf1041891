#include "common/text/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
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

}  // namespace

std::string one_of(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t at = 0; at < words.size(); ++at) {
    text += at == 0 ? "" : at + 1 == words.size() ? " or " : ", ";
    text += words[at];
  }
  return text;
}

std::string expected_one_of(const std::vector<std::string>& words) { return "expected " + one_of(words); }

std::optional<bool> truth(std::string_view word) {
  const auto is_one_of = [small = in_small_letters(word)](std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), small) != words.end();
  };
  if (is_one_of({"true", "yes", "on", "1"})) {
    return true;
  }
  return is_one_of({"false", "no", "off", "0"}) ? std::optional(false) : std::nullopt;
}

std::chrono::duration<double> seconds_of(std::string_view text, Zero zero) {
  const auto count = number_of<double>(text);
  if (!count || !std::isfinite(*count) || *count < 0 || (*count == 0 && zero == Zero::refused)) {
    throw Expected(zero == Zero::refused ? "expected seconds above 0" : "expected seconds, 0 or more");
  }
  return std::chrono::duration<double>(*count);
}

std::int64_t whole_number(std::string_view text, std::int64_t least, std::int64_t most, const std::string& expected) {
  const auto value = number_of<std::int64_t>(text);
  if (!value || *value < least || *value > most) {
    throw Expected(expected.empty() ? fmt::format("expected a whole number from {} to {}", least, most) : expected);
  }
  return *value;
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view several) {
  return count == 1        ? fmt::format("1 {}", one)
         : several.empty() ? fmt::format("{} {}s", count, one)
                           : fmt::format("{} {}", count, several);
}

std::string times(std::uint64_t count) { return count == 1 ? "once" : fmt::format("{} times", count); }

std::string shortened(std::string_view value) {
  constexpr std::size_t most = 200;
  if (value.size() <= most) {
    return std::string(value);
  }
  std::size_t end = most;
  while (end > most - 4 && (static_cast<unsigned char>(value[end]) & 0xC0U) == 0x80) {  // not within a character
    --end;
  }
  return fmt::format("{}... ({} bytes)", value.substr(0, end), value.size());
}

std::string in_small_letters(std::string_view text) {
  std::string small(text);
  std::transform(small.begin(), small.end(), small.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return small;
}

std::string in_capitals(std::string_view text) {
  std::string capitals(text);
  std::transform(capitals.begin(), capitals.end(), capitals.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return capitals;
}

std::vector<std::string> pieces(std::string_view text, std::string_view separator) {
  std::vector<std::string> all;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    all.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + separator.size(), text.size()));
  }
  return all;
}

std::string filled(std::string text, const std::vector<std::pair<std::string_view, std::string>>& values) {
  for (const auto& [name, value] : values) {
    for (std::size_t at = 0; (at = text.find(name, at)) != std::string::npos; at += value.size()) {
      text.replace(at, name.size(), value);
    }
  }
  return text;
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
