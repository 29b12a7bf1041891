#include "common/options/secret.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>

#include "common/process/descriptor.hpp"
#include "common/process/stop.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

constexpr std::size_t longest_secret = 65'535;  // binary data has two bytes of length [MQTT5 1.5.6]
constexpr std::string_view longest_line_end = "\r\n";

Expected unreadable() { return Expected(fmt::format("expected a file that can be read ({})", std::strerror(errno))); }

/// As a shell takes it for one word.
std::string quoted(const std::string& word) {
  const auto is_plain = [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("/._-+:@%").find(static_cast<char>(c)) != std::string_view::npos;
  };
  if (!word.starts_with('-') && std::all_of(word.begin(), word.end(), is_plain)) {
    return word;
  }
  std::string quoted = word.starts_with('-') ? "'./" : "'";
  for (const char c : word) {
    quoted += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return quoted + "'";
}

// The question --------------------------------------------------------------------------------------------------------

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

std::string read_secret(const std::filesystem::path& file, bool open_to_others_is_fine) {
  const Descriptor opened{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)};
  struct stat status {};
  if (opened.get() < 0 || ::fstat(opened.get(), &status) != 0) {  // of what was opened: it is what will be read
    throw unreadable();
  }
  if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode)) {
    throw Expected("expected a file or a pipe");
  }
  const bool open_to_others = S_ISREG(status.st_mode) && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0;
  if (open_to_others && !open_to_others_is_fine && !is_mounted_secret(file)) {
    throw Expected(
        fmt::format("expected a file that only you can read: run chmod 600 {}, or give --allow-readable-secrets",
                    quoted(file.string())));
  }
  auto bytes = read_to_end(opened.get(), longest_secret + longest_line_end.size());
  if (!bytes) {
    throw unreadable();
  }
  std::string secret = std::move(*bytes);
  if (secret.ends_with('\n')) {
    secret.pop_back();
    if (secret.ends_with('\r')) {
      secret.pop_back();
    }
  }
  if (secret.empty()) {
    throw Expected("expected a file with a password in it, and this one is empty");
  }
  if (secret.size() > longest_secret) {
    throw Expected(fmt::format("expected a password of at most {} bytes", longest_secret));
  }
  return secret;
}

bool is_mounted_secret(const std::filesystem::path& file) {
  std::error_code unresolved;
  const std::filesystem::path resolved = std::filesystem::weakly_canonical(file, unresolved);
  // /var/run is a link to /run, but not in every image.
  return !unresolved &&
         (resolved.string().starts_with("/run/secrets/") || resolved.string().starts_with("/var/run/secrets/"));
}

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
