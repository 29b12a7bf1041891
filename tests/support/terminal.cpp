#include "tests/support/terminal.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>

namespace sistem::test {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

Terminal::Terminal(std::vector<std::string> command) {
  std::vector<char*> argv;
  argv.reserve(command.size() + 1);
  for (std::string& word : command) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  pid_ = ::forkpty(&keyboard_, nullptr, nullptr, nullptr);
  if (pid_ < 0) {
    throw std::runtime_error(std::string("no pseudo terminal: ") + std::strerror(errno));
  }
  if (pid_ == 0) {
    for (const int number : {SIGPIPE, SIGINT, SIGQUIT, SIGHUP}) {
      ::signal(number, SIG_DFL);
    }
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  ::fcntl(keyboard_, F_SETFD, FD_CLOEXEC);
}

Terminal::~Terminal() {
  ::close(keyboard_);
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

void Terminal::type(const std::string& keys) const {
  if (::write(keyboard_, keys.data(), keys.size()) != static_cast<ssize_t>(keys.size())) {
    throw std::runtime_error("cannot type\n" + screen_);
  }
}

void Terminal::wait_for(const std::string& text) {
  const auto deadline = Clock::now() + patience;
  std::size_t at = screen_.find(text, seen_);
  for (; at == std::string::npos; at = screen_.find(text, seen_)) {
    if (!read_some() || Clock::now() >= deadline) {
      throw std::runtime_error("the screen never showed: " + text + "\n" + screen_);
    }
  }
  seen_ = at + text.size();
}

int Terminal::wait() {
  const auto deadline = Clock::now() + patience;
  while (read_some()) {  // until its last process has let go of the terminal
    if (Clock::now() >= deadline) {
      throw std::runtime_error("did not end\n" + screen_);
    }
  }
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void Terminal::signal(int number) const { ::kill(pid_, number); }

void Terminal::resize(int columns, int rows) const {
  winsize size{};
  size.ws_col = static_cast<unsigned short>(columns);
  size.ws_row = static_cast<unsigned short>(rows);
  if (::ioctl(keyboard_, TIOCSWINSZ, &size) != 0) {
    throw std::runtime_error("cannot resize");
  }
}

bool Terminal::echoes() const {
  termios attributes{};
  return ::tcgetattr(keyboard_, &attributes) == 0 && (attributes.c_lflag & ECHO) != 0;
}

/// False at the end of all output.
bool Terminal::read_some() {
  pollfd ready{keyboard_, POLLIN, 0};
  if (::poll(&ready, 1, 100) <= 0) {
    return true;
  }
  std::array<char, 4096> block{};
  const ssize_t count = ::read(keyboard_, block.data(), block.size());
  if (count <= 0) {
    return false;  // EIO, where nobody has the terminal open any more
  }
  screen_.append(block.data(), static_cast<std::size_t>(count));
  return true;
}

}  // namespace sistem::test
