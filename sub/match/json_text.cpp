#include "sub/match/json_text.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <nlohmann/json.hpp>

#include "common/text/words.hpp"

namespace sistem {
namespace {

constexpr std::size_t deepest = 1000;

/// Behind the string that begins at `at`.
std::size_t end_of_string(std::string_view json, std::size_t at) {
  for (++at; json[at] != '"'; ++at) {
    at += json[at] == '\\' ? 1 : 0;
  }
  return at + 1;
}

/// Writes JSON again, token by token.
class Layout {
 public:
  Layout(bool pretty, std::string& out) : pretty_(pretty), out_(out) {}

  /// Takes what is known to be JSON. False where it is nested too deep.
  bool write(std::string_view json) {
    for (std::size_t at = 0; at < json.size(); ++at) {
      if (json[at] == '"') {
        const std::size_t end = end_of_string(json, at);
        begin_value();
        out_ += json.substr(at, end - at);
        at = end - 1;
      } else if (!put(json[at])) {
        return false;
      }
    }
    return true;
  }

 private:
  bool put(char c) {
    switch (c) {
      case ' ':
      case '\t':
      case '\n':
      case '\r': return true;
      case '{':
      case '[': return open(c);
      case '}':
      case ']': close(c); return true;
      case ':': out_ += pretty_ ? ":\t" : ":"; return true;
      case ',': comma(); return true;
      default:
        begin_value();
        out_ += c;
        return true;
    }
  }

  bool open(char bracket) {
    begin_value();
    out_ += bracket;
    open_ += bracket;
    if (pretty_ && bracket == '{') {
      out_ += '\n';
      fresh_line_ = true;
    }
    return open_.size() <= deepest;
  }

  void close(char bracket) {
    open_.pop_back();
    if (pretty_ && bracket == '}') {
      out_ += fresh_line_ ? "" : "\n";
      out_.append(open_.size(), '\t');
      fresh_line_ = false;
    }
    out_ += bracket;
  }

  void comma() {
    out_ += ',';
    if (pretty_) {
      fresh_line_ = open_.back() == '{';
      out_ += fresh_line_ ? '\n' : ' ';
    }
  }

  /// Before any token that is not punctuation.
  void begin_value() {
    if (fresh_line_) {
      out_.append(open_.size(), '\t');
      fresh_line_ = false;
    }
  }

  bool pretty_;
  std::string& out_;
  std::string open_;         ///< the brackets that are open
  bool fresh_line_ = false;  ///< a line of an object was begun and holds nothing yet
};

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
  void skip_spaces() { at_ = std::min(json_.find_first_not_of(" \t\n\r", at_), json_.size()); }

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

/// Behind the digits that begin at `at`.
std::size_t end_of_digits(std::string_view text, std::size_t at) {
  return std::min(text.find_first_not_of("0123456789", at), text.size());
}

/// Whether that is a number by JSON's grammar [RFC 8259 6].
bool is_number(std::string_view text) {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  const std::size_t first = at;
  at = end_of_digits(text, at);
  if (at == first || (text[first] == '0' && at > first + 1)) {
    return false;
  }
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = at + 1;
    at = end_of_digits(text, fraction);
    if (at == fraction) {
      return false;
    }
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    at += at < text.size() && (text[at] == '+' || text[at] == '-') ? 1U : 0U;
    const std::size_t exponent = at;
    at = end_of_digits(text, exponent);
    if (at == exponent) {
      return false;
    }
  }
  return at == text.size();
}

/// The text with each number that JSON may have replaced by 0. It need not be JSON.
std::string without_numbers(std::string_view text) {
  std::string out;
  bool in_string = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (in_string && c == '\\' && at + 1 < text.size()) {
      out += text.substr(at++, 2);
      continue;
    }
    in_string = in_string != (c == '"');
    const bool begins_number = !in_string && (c == '-' || (c >= '0' && c <= '9'));
    if (!begins_number) {
      out += c;
      continue;
    }
    const std::size_t end = std::min(text.find_first_not_of("0123456789+-.eE", at), text.size());
    const std::string_view number = text.substr(at, end - at);
    out += is_number(number) ? "0" : number;
    at = end - 1;
  }
  return out;
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
         (nlohmann::json::accept(text) || nlohmann::json::accept(without_numbers(text)));
}

bool append_laid_out(std::string_view json, bool pretty, std::string& out) {
  const std::size_t before = out.size();
  const bool is_written = Layout{pretty, out}.write(json);
  if (!is_written) {
    out.resize(before);
  }
  return is_written;
}

std::string unquoted(std::string_view string) {
  return string.find('\\') == std::string_view::npos ? std::string(string.substr(1, string.size() - 2))
                                                     : nlohmann::json::parse(string).get<std::string>();
}

std::string_view json_value(std::string_view json) { return Walk{json}.take(); }

std::optional<std::string_view> json_member(std::string_view json, std::string_view name) {
  Walk walk{json};
  if (walk.bracket() == '[') {
    std::size_t at = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), at);
    const auto elements = json_elements(json);
    const bool is_there = error == std::errc{} && end == name.data() + name.size() && at < elements.size();
    return is_there ? std::optional(elements[at]) : std::nullopt;
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
  while (true) {
    const std::size_t dot = path.find('.');
    const std::string_view name = path.substr(0, dot);
    if (name.empty()) {
      throw Expected("expected names and numbers with dots between them, as in sensors.0.value");
    }
    names_.emplace_back(name);
    if (dot == std::string_view::npos) {
      return;
    }
    path.remove_prefix(dot + 1);
  }
}

std::optional<std::string_view> JsonPath::find(std::string_view json) const {
  std::optional<std::string_view> at = json_value(json);
  for (const std::string& name : names_) {
    at = json_member(*at, name);
    if (!at) {
      return std::nullopt;
    }
  }
  return at;
}

}  // namespace sistem
