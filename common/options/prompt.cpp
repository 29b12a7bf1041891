#include "common/options/prompt.hpp"

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>

#include "common/process/descriptor.hpp"
#include "common/process/stop.hpp"

namespace sistem {
namespace {

/// While one lives, a signal does nothing.
class Ignored {
 public:
  explicit Ignored(int number) : number_(number) {
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(number_, &ignore, &before_);
  }
  Ignored(const Ignored&) = delete;
  Ignored& operator=(const Ignored&) = delete;
  ~Ignored() { ::sigaction(number_, &before_, nullptr); }

 private:
  int number_;
  struct sigaction before_ {};
};

int change(int terminal, int when, const termios& attributes) {
  int result = 0;
  do {
    result = ::tcsetattr(terminal, when, &attributes);
  } while (result != 0 && errno == EINTR);
  return result;
}

/// While one lives, a terminal takes lines and shows nothing of them.
class EchoOff {
 public:
  explicit EchoOff(int terminal) : terminal_(terminal) {
    if (::tcgetattr(terminal_, &before_) != 0) {
      return;
    }
    termios silent = before_;
    silent.c_iflag |= ICRNL;                   // Enter ends a line, whatever ran before us
    silent.c_lflag |= ICANON | ISIG | NOFLSH;  // without NOFLSH a Ctrl-Z that does nothing would delete what was typed
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL);
    is_active_ = change(terminal_, TCSAFLUSH, silent) == 0;
  }
  EchoOff(const EchoOff&) = delete;
  EchoOff& operator=(const EchoOff&) = delete;
  ~EchoOff() {
    if (is_active_) {
      change(terminal_, TCSANOW, before_);  // at once: after Ctrl-S output might never drain
    }
  }

  [[nodiscard]] bool is_active() const { return is_active_; }

 private:
  int terminal_;
  termios before_{};
  bool is_active_ = false;
};

/// False where a stop was requested before all was written, or the terminal is gone.
bool show(int terminal, std::string_view text, const std::stop_token& stop) {
  while (!text.empty()) {
    if (wait_for(terminal, POLLOUT, never, stop) == Woken::stopped) {
      return false;
    }
    const ssize_t count = ::write(terminal, text.data(), text.size());
    if (count < 0 && errno != EINTR && errno != EAGAIN) {
      return false;
    }
    text.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
  }
  return true;
}

std::optional<std::string> read_line(int terminal, const std::stop_token& stop) {
  std::string line;
  while (wait_for(terminal, POLLIN, never, stop) != Woken::stopped) {
    std::array<char, 4096> block{};
    const ssize_t count = ::read(terminal, block.data(), block.size());
    if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN)) {
      return std::nullopt;
    }
    line.append(block.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
    if (line.ends_with('\n')) {
      line.pop_back();
      return line;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> ask_secret(const std::string& question, const std::stop_token& stop) {
  if (stop.stop_requested() || (::isatty(STDIN_FILENO) == 0 && ::isatty(STDERR_FILENO) == 0)) {
    return std::nullopt;
  }
  // Never blocking: a terminal after Ctrl-S takes no output, and a stop must still find its way to the end of this.
  const Descriptor terminal{::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
  // In the background a change of the terminal would suspend us.
  if (terminal.get() < 0 || ::tcgetpgrp(terminal.get()) != ::getpgrp()) {
    return std::nullopt;
  }
  const Ignored suspend{SIGTSTP};
  const Ignored quit{SIGQUIT};
  std::optional<std::string> answer;
  {
    const EchoOff silence{terminal.get()};
    // The question comes after the silence: what is typed because of it is never shown.
    if (silence.is_active() && show(terminal.get(), question, stop)) {
      answer = read_line(terminal.get(), stop);
    }
    if (!answer) {
      ::tcflush(terminal.get(), TCIFLUSH);  // half a password is nothing for the shell to read
    }
  }
  (void)!::write(terminal.get(), "\n", 1);  // Enter was not shown
  return answer;
}

}  // namespace sistem
