#pragma once

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace sistem {

/// What a value should have been, as the end of a complaint: "expected 0, 1 or 2".
class Expected : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// "a, b or c".
[[nodiscard]] std::string one_of(const std::vector<std::string>& words);
/// "expected a, b or c".
[[nodiscard]] std::string expected_one_of(const std::vector<std::string>& words);

/// The number that all of a text is; nothing where it is none.
template <typename Number>
[[nodiscard]] std::optional<Number> number_of(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

/// What a word says: true for true, yes, on and 1, false for false, no, off and 0, in any case; else nothing.
[[nodiscard]] std::optional<bool> truth(std::string_view word);

/// Seconds, fractions too: above 0, or 0 where that is allowed.
enum class Zero { allowed, refused };
[[nodiscard]] std::chrono::duration<double> seconds_of(std::string_view text, Zero zero = Zero::refused);

/// A whole number from `least` to `most`; `expected` overrides how the complaint names them.
[[nodiscard]] std::int64_t whole_number(std::string_view text, std::int64_t least, std::int64_t most,
                                        const std::string& expected = {});

/// "1 message", "5 messages".
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view one, std::string_view several = {});
/// "once", "5 times".
[[nodiscard]] std::string times(std::uint64_t count);

/// A value as it fits into a sentence: cut after 200 bytes, with its size behind it. A topic may have 65,535 bytes, and
/// an argument of the command line more.
[[nodiscard]] std::string shortened(std::string_view value);

/// ASCII only, as names of options, packets and schemes are.
[[nodiscard]] std::string in_small_letters(std::string_view text);
[[nodiscard]] std::string in_capitals(std::string_view text);

/// The pieces of `text` between separators.
[[nodiscard]] std::vector<std::string> pieces(std::string_view text, std::string_view separator);

/// `text`, in which each of these names is replaced by what it stands for.
[[nodiscard]] std::string filled(std::string text, const std::vector<std::pair<std::string_view, std::string>>& values);

/// Several words as one text, and back: separated by blanks; a word that is empty, holds white space or begins with
/// a quotation mark stands in quotation marks, with \ before those and before \ in it.
[[nodiscard]] std::string joined(const std::vector<std::string>& words);
/// Throws Expected for a quotation that does not end.
[[nodiscard]] std::vector<std::string> split(std::string_view text);

/// How many letters one must add, drop, change or swap with their neighbour to make one word of the other.
[[nodiscard]] std::size_t distance(std::string_view one, std::string_view other);

/// What may have been meant by `word`: the nearest of the candidates, if one is at most `most` away.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates,
                                                 std::size_t most);

/// "; did you mean X?" for the nearest that is likely, or nothing. `dashes` stand before the word.
[[nodiscard]] std::string suggestion(std::string_view word, const std::vector<std::string>& candidates,
                                     const std::string& dashes = {});

/// Walks through a text that a person wrote, and says at which character it is not what it should be.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  [[nodiscard]] std::size_t position() const { return at_; }
  /// The byte that comes next; NUL at the end.
  [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[at_]; }
  /// What was taken from there on.
  [[nodiscard]] std::string_view taken_since(std::size_t position) const {
    return text_.substr(position, at_ - position);
  }
  /// What is left.
  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }

  /// Takes these bytes if they come next.
  bool take(std::string_view bytes);
  /// Takes all until one of these bytes, or the end.
  std::string_view take_until(std::string_view bytes);
  /// Takes so many bytes, which are there.
  std::string_view take_bytes(std::size_t count);
  /// Takes all digits that come next.
  std::string_view take_digits();
  /// Takes these bytes, or throws Expected, as all that is here complains: "expected , at character 7".
  void expect(std::string_view bytes);
  [[noreturn]] void fail(std::string_view expected) const { fail_at(at_, expected); }
  /// The same with what another one complains about what is here.
  [[noreturn]] void fail(const Expected& complaint) const { fail_at(at_, complaint); }
  [[noreturn]] void fail_at(std::size_t position, std::string_view expected) const;
  [[noreturn]] void fail_at(std::size_t position, const Expected& complaint) const;
  /// "character 7": as people count them, from 1.
  [[nodiscard]] std::size_t character(std::size_t position) const;

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace sistem
