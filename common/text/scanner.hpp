#pragma once

#include <cstddef>
#include <string_view>

#include "common/text/words.hpp"

namespace sistem {

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
