#pragma once

#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace sistem {

/// What is said to a person, on stderr: stdout carries messages and nothing else.
/// Each call writes one whole line at once, so that lines of several threads never mix.
class Console {
 public:
  /// `tool` begins every line; `debug` decides whether debug() says anything.
  explicit Console(std::string tool, bool debug = false, int fd = STDERR_FILENO)
      : tool_(std::move(tool)), debug_(debug), fd_(fd) {}

  /// From here on as the options say: with debug lines, or without any notes.
  void obey(bool debug, bool quiet) {
    debug_ = debug;
    quiet_ = quiet;
  }

  /// What goes wrong, or should be known. Not where it was asked to be quiet.
  void note(std::string_view line) const;
  /// What must be said even then: that the options are wrong.
  void complain(std::string_view line) const;
  /// Only with -d: the line begins with the time of day. Never waits: what finds no room, because nobody reads, is left
  /// out, and how much that was is said later.
  void debug(std::string_view line) const;
  /// A line below all others that each new one takes the place of: how far the run has come. For a terminal only.
  /// Empty: it is gone. Copies of a console share it, and whatever else they say comes above it.
  void status(std::string_view line) const;
  /// True where what is noted is shown on a terminal.
  [[nodiscard]] bool is_for_a_person() const { return !quiet_ && ::isatty(fd_) != 0; }
  /// True where debug() speaks: ask before composing a line that costs something.
  [[nodiscard]] bool debugging() const { return debug_; }

 private:
  void write_line(std::string_view line) const;

  std::string tool_;
  bool debug_;
  bool quiet_ = false;
  int fd_;
  std::shared_ptr<std::atomic<bool>> has_status_ = std::make_shared<std::atomic<bool>>(false);
  std::shared_ptr<std::atomic<std::size_t>> left_out_ = std::make_shared<std::atomic<std::size_t>>(0);  ///< lines
};

}  // namespace sistem
