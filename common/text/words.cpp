#include "common/text/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <iomanip>
#include <sstream>

#include "common/text/encoding.hpp"

namespace sistem {
namespace {

std::string with_letters(std::string_view text, int (*change)(int)) {
  std::string changed(text);
  for (char& c : changed) {
    c = static_cast<char>(change(static_cast<unsigned char>(c)));
  }
  return changed;
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
  return value.size() <= most
             ? std::string(value)
             : fmt::format("{}... ({} bytes)", value.substr(0, begin_of_character(value, most)), value.size());
}

std::string in_small_letters(std::string_view text) { return with_letters(text, std::tolower); }

std::string in_capitals(std::string_view text) { return with_letters(text, std::toupper); }

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
  std::ostringstream text;
  for (const std::string& word : words) {
    text << (&word == &words.front() ? "" : " ");
    if (word.empty() || word.front() == '"' || word.find_first_of(" \t\n\v\f\r") != std::string::npos) {
      text << std::quoted(word);
    } else {
      text << word;
    }
  }
  return text.str();
}

std::vector<std::string> split(std::string_view text) {
  std::istringstream rest{std::string(text)};
  std::vector<std::string> words;
  while (!(rest >> std::ws).eof()) {
    if (!(rest >> std::quoted(words.emplace_back()))) {
      throw Expected("expected a quotation that ends");
    }
  }
  return words;
}

std::size_t distance(std::string_view one, std::string_view other) {
  // Rows of the usual table: the two before the present one are enough, the older for swapped neighbours.
  std::vector<std::size_t> older(other.size() + 1);
  std::vector<std::size_t> last(other.size() + 1);
  std::vector<std::size_t> now(other.size() + 1);
  for (std::size_t column = 0; column <= other.size(); ++column) {
    last[column] = column;
  }
  for (std::size_t row = 1; row <= one.size(); ++row) {
    now[0] = row;
    for (std::size_t column = 1; column <= other.size(); ++column) {
      const std::size_t change = one[row - 1] == other[column - 1] ? 0 : 1;
      now[column] = std::min({last[column] + 1, now[column - 1] + 1, last[column - 1] + change});
      if (row > 1 && column > 1 && one[row - 1] == other[column - 2] && one[row - 2] == other[column - 1]) {
        now[column] = std::min(now[column], older[column - 2] + 1);
      }
    }
    std::swap(older, last);
    std::swap(last, now);
  }
  return last[other.size()];
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates,
                                   std::size_t most) {
  std::optional<std::string> best;
  std::size_t least = most + 1;
  for (const std::string& candidate : candidates) {
    const auto [shorter, longer] = std::minmax({word.size(), candidate.size()});
    if (longer - shorter >= least) {
      continue;  // they are at least so far apart, and that takes long to find for a word of 100 kB
    }
    const std::size_t here = distance(word, candidate);
    if (here < least) {
      least = here;
      best = candidate;
    }
  }
  return best;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates, const std::string& dashes) {
  // Two letters off in a long word are a slip; in a short one they are another word.
  const auto meant = nearest(word, candidates, word.size() > 4 ? 2 : 1);
  return meant ? "; did you mean " + dashes + *meant + "?" : "";
}

bool Scanner::take(std::string_view bytes) {
  if (!rest().starts_with(bytes)) {
    return false;
  }
  at_ += bytes.size();
  return true;
}

std::string_view Scanner::take_until(std::string_view bytes) {
  return take_bytes(std::min(rest().find_first_of(bytes), rest().size()));
}

std::string_view Scanner::take_bytes(std::size_t count) {
  const std::string_view taken = text_.substr(at_, count);
  at_ += count;
  return taken;
}

std::string_view Scanner::take_digits() {
  return take_bytes(std::min(rest().find_first_not_of("0123456789"), rest().size()));
}

void Scanner::expect(std::string_view bytes) {
  if (!take(bytes)) {
    fail(bytes);
  }
}

void Scanner::fail_at(std::size_t position, std::string_view expected) const {
  fail_at(position, Expected(fmt::format("expected {}", expected)));
}

void Scanner::fail_at(std::size_t position, const Expected& complaint) const {
  throw Expected(fmt::format("{} at character {}", complaint.what(), character(position)));
}

std::size_t Scanner::character(std::size_t position) const {
  const std::string_view before = text_.substr(0, position);
  return 1 + before.size() - static_cast<std::size_t>(std::ranges::count_if(before, continues_character));
}

}  // namespace sistem
