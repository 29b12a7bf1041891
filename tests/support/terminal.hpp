#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/support/process.hpp"

namespace sistem::test {

/// A command on a terminal of its own: its controlling terminal, and its stdin, stdout and stderr. Killed and reaped
/// when it goes out of scope. A wait that fails throws std::runtime_error with all that the screen has shown.
class Terminal {
 public:
  explicit Terminal(std::vector<std::string> command);
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal();

  /// Presses keys: "\r" is Enter, "\x03" Ctrl-C.
  void type(const std::string& keys) const;
  /// Waits until the screen has shown `text`, after what the waits before this one were for.
  void wait_for(const std::string& text);
  /// Waits for the command's end; its exit status, or 128+n where signal n ended it.
  int wait();

  /// Sends a signal to the command.
  void signal(int number) const;
  /// Changes the size of its window.
  void resize(int columns, int rows) const;

  /// All that the screen has shown so far, with "\r\n" at the end of a line.
  [[nodiscard]] const std::string& screen() const { return screen_; }
  /// Whether it shows what is typed, at this moment.
  [[nodiscard]] bool echoes() const;

 private:
  bool read_some();

  int keyboard_ = -1;  ///< the pseudo terminal's other side
  pid_t pid_ = -1;
  std::string screen_;
  std::size_t seen_ = 0;
};

}  // namespace sistem::test
