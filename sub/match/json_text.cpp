#include "sub/match/json_text.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>

#include "common/text/words.hpp"

namespace sistem {
namespace {

constexpr std::size_t deepest = 1000;
constexpr std::string_view json_blanks = " \t\n\r";

/// Behind the string that begins at `at`.
std::size_t end_of_string(std::string_view json, std::size_t at) {
  for (++at; json[at] != '"'; ++at) {
    at += json[at] == '\\' ? 1 : 0;
  }
  return at + 1;
}

/// Walks through what is known to be JSON.
class Walk {
 public:
  explicit Walk(std::string_view json) : json_(json) { skip_spaces(); }

  /// The bracket that an object or an array begins with.
  [[nodiscard]] char bracket() const { return json_.empty() ? '\0' : json_[at_]; }

  /// Goes behind a bracket, a comma or a colon. False where a bracket closes there instead.
  bool enter() {
    ++at_;
    skip_spaces();
    return json_[at_] != '}' && json_[at_] != ']';
  }

  /// Whether a comma follows; goes behind it.
  bool takes_comma() {
    skip_spaces();
    return json_[at_] == ',' && enter();
  }

  /// Takes a value, or the name of a member.
  std::string_view take() {
    const std::size_t begin = at_;
    at_ = end_of_value();
    const std::string_view value = json_.substr(begin, at_ - begin);
    skip_spaces();
    return value;
  }

 private:
  void skip_spaces() { at_ = std::min(json_.find_first_not_of(json_blanks, at_), json_.size()); }

  [[nodiscard]] std::size_t end_of_value() const {
    const char first = json_[at_];
    if (first == '"') {
      return end_of_string(json_, at_);
    }
    if (first != '{' && first != '[') {
      return std::min(json_.find_first_of(",:]} \t\n\r", at_), json_.size());
    }
    std::size_t depth = 0;
    std::size_t at = at_;
    do {
      const char c = json_[at];
      depth += c == '{' || c == '[' ? 1U : 0U;
      depth -= c == '}' || c == ']' ? 1U : 0U;
      at = c == '"' ? end_of_string(json_, at) : at + 1;
    } while (depth > 0);
    return at;
  }

  std::string_view json_;
  std::size_t at_ = 0;
};

/// The text with only the first digit of each number, so that a double holds it: 123e400 becomes 1e4. What is no JSON
/// does not become any by it.
std::string with_small_numbers(std::string_view text) {
  static const RE2 string_or_number{R"(("(?:[^"\\]|\\.)*")|([1-9])[0-9]*)"};
  std::string small{text};
  RE2::GlobalReplace(&small, string_or_number, R"(\1\2)");
  return small;
}

}  // namespace

/// JSON's grammar has numbers of any size, as 1e400, and nlohmann's parser none that no double holds. (To it a NUL is
/// the end of its input.)
bool take_json(std::string_view& text) {
  constexpr std::string_view mark = "\xEF\xBB\xBF";
  if (text.starts_with(mark)) {
    text.remove_prefix(mark.size());
  }
  return text.find('\0') == std::string_view::npos &&
         (nlohmann::json::accept(text) || nlohmann::json::accept(with_small_numbers(text)));
}

bool append_laid_out(std::string_view json, bool pretty, std::string& out) {
  const std::size_t begin = out.size();
  std::string open;  // the brackets that are
  char before = '\0';
  const auto begin_line = [&] { out.append("\n").append(open.size(), '\t'); };
  for (std::size_t at = json.find_first_not_of(json_blanks); at < json.size();
       at = json.find_first_not_of(json_blanks, at)) {
    const char c = json[at];
    const std::size_t end = c == '"' ? end_of_string(json, at) : at + 1;
    if (c == '}' || c == ']') {
      open.pop_back();
    }
    if (c == '}' && pretty) {
      before == '{' ? out.pop_back() : begin_line();  // one tab less than its members would have
    }
    out += json.substr(at, end - at);
    if (c == '{' || c == '[') {
      open += c;
    }
    if (open.size() > deepest) {
      out.resize(begin);
      return false;
    }
    if (pretty && (c == '{' || (c == ',' && open.back() == '{'))) {
      begin_line();
    } else if (pretty && (c == ':' || c == ',')) {
      out += c == ':' ? '\t' : ' ';
    }
    before = c;
    at = end;
  }
  return true;
}

std::string unquoted(std::string_view string) {
  return string.find('\\') == std::string_view::npos ? std::string(string.substr(1, string.size() - 2))
                                                     : nlohmann::json::parse(string).get<std::string>();
}

std::optional<std::string_view> json_member(std::string_view json, std::string_view name) {
  Walk walk{json};
  if (walk.bracket() == '[') {
    const auto at = number_of<std::size_t>(name);
    const auto elements = json_elements(json);
    return at && *at < elements.size() ? std::optional(elements[*at]) : std::nullopt;
  }
  std::optional<std::string_view> found;
  if (walk.bracket() == '{' && walk.enter()) {
    do {
      const std::string_view key = walk.take();
      (void)walk.enter();
      const std::string_view value = walk.take();
      if (unquoted(key) == name) {
        found = value;
      }
    } while (walk.takes_comma());
  }
  return found;
}

std::vector<std::string_view> json_elements(std::string_view json) {
  std::vector<std::string_view> elements;
  Walk walk{json};
  if (walk.bracket() == '[' && walk.enter()) {
    do {
      elements.push_back(walk.take());
    } while (walk.takes_comma());
  }
  return elements;
}

JsonPath::JsonPath(std::string_view path) {
  if (path == ".") {
    return;
  }
  if (path.starts_with('.')) {
    path.remove_prefix(1);  // as jq has it
  }
  names_ = pieces(std::string(path) + ".", ".");
  if (std::ranges::find(names_, "") != names_.end()) {
    throw Expected("expected names and numbers with dots between them, as in sensors.0.value");
  }
}

std::optional<std::string_view> JsonPath::find(std::string_view json) const {
  std::optional<std::string_view> at = Walk{json}.take();  // without the spaces around it
  for (const std::string& name : names_) {
    at = json_member(*at, name);
    if (!at) {
      return std::nullopt;
    }
  }
  return at;
}

}  // namespace sistem
