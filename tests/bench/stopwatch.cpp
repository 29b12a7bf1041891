#include "tests/bench/stopwatch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <stdexcept>
#include <system_error>

#include "tests/bench/clock.hpp"

namespace sistem::bench {
namespace {

[[noreturn]] void fail(const std::string& what, int error) {
  throw std::system_error(error, std::generic_category(), what);
}

/// Starts a command with its stdin from a file, or ours, and its stdout to a descriptor.
pid_t spawn(const std::vector<std::string>& command, const std::string& input, int output) {
  std::vector<char*> words;
  words.reserve(command.size() + 1);
  for (const std::string& word : command) {
    words.push_back(const_cast<char*>(word.c_str()));  // posix_spawn's interface; it writes nothing
  }
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (!input.empty()) {
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input.c_str(), O_RDONLY, 0);
  }
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  pid_t child = -1;
  const int error = posix_spawnp(&child, words.front(), &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    fail("cannot start " + command.front(), error);
  }
  return child;
}

/// Becomes readable when the process ends. By its number: glibc 2.36 declares it without C linkage.
int pidfd_of(pid_t process) { return static_cast<int>(syscall(SYS_pidfd_open, process, 0)); }

struct Ended {
  int status;  ///< of its exit, or 128+n where signal n ended it
  rusage used;
};

Ended reap(pid_t child) {
  Ended ended{};
  int status = 0;
  if (wait4(child, &status, 0, &ended.used) != child) {
    fail("cannot wait for a command", errno);
  }
  ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ended;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

/// A child, and the pipe from its stdout where it has one, watched until it ends.
class Watch {
 public:
  Watch(const Run& run, pid_t child, int pipe, std::int64_t began)
      : run_(run), child_(child), process_(pidfd_of(child)), pipe_(pipe), deadline_(began + ns(run.limit)) {}
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() { close(process_); }

  /// Until it has ended and its pipe is empty.
  void wait() {
    last_ = monotonic_ns();
    while (process_ >= 0 && (!ended_ || pipe_ >= 0)) {
      std::array<pollfd, 2> events{{{ended_ ? -1 : process_, POLLIN, 0}, {pipe_, POLLIN, 0}}};
      const std::int64_t until = next_deadline();
      poll(events.data(), events.size(),
           static_cast<int>(std::max<std::int64_t>(0, until - monotonic_ns()) / 1'000'000 + 1));
      if (events[1].revents != 0) {
        read_lines();
      }
      ended_ = ended_ || events[0].revents != 0;
      if (monotonic_ns() >= until) {
        end(deadline_ <= until || asked_to_end_ ? SIGKILL : SIGTERM);
      }
    }
  }

  [[nodiscard]] std::int64_t lines() const { return lines_; }
  [[nodiscard]] std::int64_t last_line() const { return last_; }
  [[nodiscard]] bool was_killed() const { return killed_; }

 private:
  static std::int64_t ns(double seconds) { return static_cast<std::int64_t>(seconds * 1e9); }

  /// The end of its patience, of the time to end in after SIGTERM, or of all.
  [[nodiscard]] std::int64_t next_deadline() const {
    if (asked_to_end_) {
      return std::min(deadline_, asked_at_ + ns(run_.patience));
    }
    return pipe_ >= 0 ? std::min(deadline_, last_ + ns(run_.patience)) : deadline_;
  }

  void read_lines() {
    const ssize_t got = read(pipe_, bytes_.data(), bytes_.size());
    if (got <= 0) {
      pipe_ = -1;  // closed by its owner
      return;
    }
    const std::int64_t now = monotonic_ns();
    if (lines_ < run_.lines) {
      last_ = now;
    }
    lines_ += std::count(bytes_.begin(), bytes_.begin() + got, '\n');
    if (run_.pause > 0 && !paused_) {
      paused_ = true;
      const timespec pause{static_cast<time_t>(run_.pause), static_cast<long>(ns(run_.pause) % 1'000'000'000)};
      nanosleep(&pause, nullptr);
    }
    if (lines_ >= run_.lines && !asked_to_end_) {
      end(SIGTERM);
    }
  }

  void end(int signal) {
    if (!ended_) {
      kill(child_, signal);
    }
    killed_ = killed_ || signal == SIGKILL;
    asked_to_end_ = true;
    asked_at_ = monotonic_ns();
    if (signal == SIGKILL) {
      pipe_ = -1;  // also where a child of its own holds it open
    }
  }

  const Run& run_;
  pid_t child_;
  int process_;
  int pipe_;
  std::int64_t deadline_;
  bool ended_ = false;
  bool paused_ = false;
  bool asked_to_end_ = false;
  bool killed_ = false;
  std::int64_t asked_at_ = 0;
  std::int64_t lines_ = 0;
  std::int64_t last_ = 0;
  std::array<char, std::size_t{128} * 1024> bytes_;  // all that a pipe holds, and more
};

}  // namespace

void time_run(const Run& run) {
  std::array<int, 2> pipe{-1, -1};
  if (run.lines > 0 && pipe2(pipe.data(), O_CLOEXEC) != 0) {
    fail("no pipe", errno);
  }
  const int output = run.lines > 0 ? pipe[1] : open("/dev/null", O_WRONLY | O_CLOEXEC);
  const std::int64_t began = monotonic_ns();
  const pid_t child = spawn(run.command, run.input, output);
  close(output);
  Watch watch{run, child, pipe[0], began};
  watch.wait();
  const Ended ended = reap(child);
  const std::int64_t wall = monotonic_ns() - began;
  if (watch.was_killed()) {
    throw std::runtime_error(fmt::format("{} did not end by itself", run.command.front()));
  }
  fmt::print(R"({{"status":{},"began_ns":{},"wall_ns":{},"user_s":{:.6f},"system_s":{:.6f},"peak_rss_kib":{})",
             ended.status, began, wall, seconds(ended.used.ru_utime), seconds(ended.used.ru_stime),
             ended.used.ru_maxrss);
  if (run.lines > 0) {
    fmt::print(R"(,"lines":{},"last_line_ns":{})", watch.lines(), watch.last_line());
  }
  fmt::print("}}\n");
}

void time_one_shots(const std::vector<std::string>& command, int times) {
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  std::string list;
  for (int time = 0; time < times; ++time) {
    const std::int64_t began = monotonic_ns();
    const Ended ended = reap(spawn(command, "/dev/null", nowhere));
    const std::int64_t wall = monotonic_ns() - began;
    if (ended.status != 0) {
      throw std::runtime_error(fmt::format("{} ended with status {}", command.front(), ended.status));
    }
    list += fmt::format("{}{}", list.empty() ? "" : ",", wall);
  }
  close(nowhere);
  fmt::print("[{}]\n", list);
}

}  // namespace sistem::bench
