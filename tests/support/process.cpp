#include "tests/support/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <utility>

extern char** environ;

namespace sistem::test {
namespace {

using Clock = std::chrono::steady_clock;

std::string quoted(const std::vector<std::string>& command) {
  std::string line;
  for (const std::string& word : command) {
    const bool plain = !word.empty() && word.find_first_of(" \t\n'\"\\$&|;<>()*?#") == std::string::npos;
    line += (line.empty() ? "" : " ") + (plain ? word : "'" + word + "'");
  }
  return line;
}

std::vector<std::string> environment_of(const Start& start) {
  std::map<std::string, std::string> variables;
  if (start.keep_environment) {
    for (char** variable = environ; *variable != nullptr; ++variable) {
      const std::string pair = *variable;
      variables[pair.substr(0, pair.find('='))] = pair.substr(pair.find('=') + 1);
    }
  } else {
    variables = {{"PATH", std::getenv("PATH") != nullptr ? std::getenv("PATH") : "/usr/bin:/bin"},
                 {"HOME", "/nonexistent"},
                 {"XDG_CONFIG_HOME", "/nonexistent"},
                 {"LANG", "C.UTF-8"}};
    for (const char* sanitizer : {"ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"}) {
      if (const char* options = std::getenv(sanitizer)) {
        variables[sanitizer] = options;
      }
    }
  }
  for (const auto& [name, value] : start.environment) {
    variables[name] = value;
  }
  std::vector<std::string> pairs;
  for (const auto& [name, value] : variables) {
    pairs.push_back(name + "=" + value);
  }
  return pairs;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> result;
  for (std::string& word : words) {
    result.push_back(word.data());
  }
  result.push_back(nullptr);
  return result;
}

void check(bool ok, const char* what) {
  if (!ok) {
    throw std::runtime_error(fmt::format("{}: {}", what, std::strerror(errno)));
  }
}

}  // namespace

Process::Process(const Start& start) : command_(quoted(start.command)) {
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  std::array<int, 2> err{};
  check(
      ::pipe2(in.data(), O_CLOEXEC) == 0 && ::pipe2(out.data(), O_CLOEXEC) == 0 && ::pipe2(err.data(), O_CLOEXEC) == 0,
      "pipe");
  std::vector<std::string> words = start.command;
  std::vector<std::string> variables = environment_of(start);
  const std::vector<char*> argv = pointers(words);
  const std::vector<char*> envp = pointers(variables);
  pid_ = ::fork();
  check(pid_ >= 0, "fork");
  if (pid_ == 0) {
    ::dup2(in[0], STDIN_FILENO);
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(err[1], STDERR_FILENO);
    // The test runner may have set these otherwise, and exec keeps them.
    ::signal(SIGPIPE, SIG_DFL);
    ::signal(SIGINT, SIG_DFL);
    if (start.directory.empty() || ::chdir(start.directory.c_str()) == 0) {
      ::execvpe(argv[0], argv.data(), envp.data());
    }
    ::dprintf(STDERR_FILENO, "cannot start %s: %s\n", argv[0], std::strerror(errno));
    ::_exit(127);
  }
  ::close(in[0]);
  ::close(out[1]);
  ::close(err[1]);
  stdin_ = in[1];
  stdout_ = out[0];
  stderr_ = err[0];
}

Process::~Process() {
  close_stdin();
  close_stdout();
  if (stderr_ >= 0) {
    ::close(stderr_);
  }
  if (!reap(false)) {
    signal(SIGKILL);
    reap(true);
  }
}

void Process::write(const std::string& bytes) {
  std::size_t written = 0;
  while (written < bytes.size()) {
    // Reading on the way: a child whose stdout is full would never take our input.
    std::array<pollfd, 3> ready{{{stdin_, POLLOUT, 0}, {stdout_, POLLIN, 0}, {stderr_, POLLIN, 0}}};
    check(::poll(ready.data(), ready.size(), static_cast<int>(std::chrono::milliseconds(patience).count())) > 0,
          "writing to a child");
    if ((ready[1].revents | ready[2].revents) != 0) {
      read_some(std::chrono::milliseconds(0));
    }
    if (ready[0].revents != 0) {
      // No more than a pipe takes without blocking.
      const ssize_t count =
          ::write(stdin_, bytes.data() + written, std::min<std::size_t>(bytes.size() - written, 4096));
      if (count < 0 && errno == EPIPE) {
        return;  // it has ended: its status will say why
      }
      check(count >= 0, "writing to a child");
      written += static_cast<std::size_t>(count);
    }
  }
}

void Process::close_stdin() {
  if (stdin_ >= 0) {
    ::close(std::exchange(stdin_, -1));
  }
}

void Process::close_stdout() {
  if (stdout_ >= 0) {
    ::close(std::exchange(stdout_, -1));
  }
}

void Process::signal(int number) const {
  if (status_ < 0) {
    ::kill(pid_, number);
  }
}

void Process::read_some(std::chrono::milliseconds limit, Read what) {
  const int left_out = -1;
  std::array<pollfd, 2> ready{{{what == Read::both ? stdout_ : left_out, POLLIN, 0}, {stderr_, POLLIN, 0}}};
  if (::poll(ready.data(), ready.size(), static_cast<int>(limit.count())) <= 0) {
    return;
  }
  const auto read_into = [](const pollfd& from, int& fd, std::string& text) {
    if (from.revents == 0) {
      return;
    }
    std::array<char, 65536> block{};
    const ssize_t count = ::read(fd, block.data(), block.size());
    if (count > 0) {
      text.append(block.data(), static_cast<std::size_t>(count));
    } else if (count == 0) {
      ::close(std::exchange(fd, -1));
    }
  };
  read_into(ready[0], stdout_, out_);
  read_into(ready[1], stderr_, err_);
}

void Process::wait_for(const std::string& text, const std::string& where, std::chrono::milliseconds limit, Read what) {
  const auto deadline = Clock::now() + limit;
  while (where.find(text) == std::string::npos) {
    const bool open = stdout_ >= 0 || stderr_ >= 0;
    if (Clock::now() >= deadline || !open) {
      throw std::runtime_error(fmt::format("never printed: {}\n{}", text, report()));
    }
    read_some(std::chrono::milliseconds(100), what);
  }
}

void Process::wait_for_stdout(const std::string& text, std::chrono::milliseconds limit) { wait_for(text, out_, limit); }

void Process::wait_for_stderr(const std::string& text, std::chrono::milliseconds limit) { wait_for(text, err_, limit); }

void Process::wait_for_stderr_alone(const std::string& text) { wait_for(text, err_, patience, Read::stderr_alone); }

void Process::wait_for_full(int pipe) {
  constexpr int much = 16000;
  constexpr std::chrono::milliseconds no_more{500};
  const auto deadline = Clock::now() + patience;
  auto grown_at = Clock::now();
  for (int before = 0, unread = 0; unread < much || Clock::now() - grown_at < no_more; before = unread) {
    if (::ioctl(pipe, FIONREAD, &unread) != 0 || Clock::now() >= deadline) {
      throw std::runtime_error(fmt::format("only {} bytes of output\n{}", unread, report()));
    }
    if (unread != before) {
      grown_at = Clock::now();
    }
    if (pipe != stderr_) {
      read_some(std::chrono::milliseconds(0),
                Read::stderr_alone);  // or who has much to say there never comes to stdout
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

bool Process::reap(bool block) {
  if (status_ >= 0) {
    return true;
  }
  int status = 0;
  if (::waitpid(pid_, &status, block ? 0 : WNOHANG) != pid_) {
    return false;
  }
  status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return true;
}

int Process::wait(std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  while (!reap(false)) {
    if (Clock::now() >= deadline) {
      throw std::runtime_error("did not end\n" + report());
    }
    read_some(std::chrono::milliseconds(10));
  }
  poll_output();  // what it wrote last; a grandchild may hold the pipes open, so nobody waits for their end
  return status_;
}

int Process::wait_without_reading(std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  while (!reap(false)) {
    if (Clock::now() >= deadline) {
      throw std::runtime_error("did not end\n" + report());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  poll_output();
  return status_;
}

void Process::poll_output() {
  for (std::size_t before = std::string::npos; before != out_.size() + err_.size();) {
    before = out_.size() + err_.size();
    read_some(std::chrono::milliseconds(0));
  }
}

std::string Process::report() const {
  return fmt::format("$ {}\nstatus: {}\nstdout:\n{}\nstderr:\n{}\n", command_,
                     status_ < 0 ? "still running" : std::to_string(status_), out_, err_);
}

Result run(const Start& start, const std::string& input, std::chrono::milliseconds limit) {
  Process process{start};
  process.write(input);
  process.close_stdin();
  const int status = process.wait(limit);
  return {status, process.out(), process.err(), process.report()};
}

}  // namespace sistem::test
