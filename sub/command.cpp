#include "sub/command.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>

#include "common/process/child.hpp"
#include "common/process/descriptor.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

using namespace std::chrono_literals;

/// How long a program that is told to end has for that, before it is made to.
constexpr auto grace = 200ms;

void stop_blocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

/// A program that runs.
class Child {
 public:
  Child(pid_t id, Descriptor input, Descriptor output)
      : id_(id),
        gone_(static_cast<int>(::syscall(SYS_pidfd_open, id, 0))),
        input_(std::move(input)),
        output_(std::move(output)) {
    stop_blocking(input_.get());
    stop_blocking(output_.get());
  }

  /// Feeds and hears it until it ends. Why it did not, or ended badly; nothing where all is well.
  std::optional<std::string> attend(std::string_view input, std::string& output, std::size_t limit, Deadline deadline,
                                    const std::stop_token& stop) {
    bool has_ended = false;
    while (!has_ended) {
      if (input.empty()) {
        input_ = Descriptor{-1};
      }
      std::array<pollfd, 3> waiting{{{input_.get(), POLLOUT, 0}, {output_.get(), POLLIN, 0}, {gone_.get(), POLLIN, 0}}};
      const Woken woken = wait_for_any(waiting, deadline, stop);
      if (woken != Woken::ready) {
        end();
        return woken == Woken::stopped ? "was stopped with sub" : "took too long";
      }
      if (waiting[0].revents != 0) {
        feed(input);
      }
      has_ended = waiting[2].revents != 0;
      // What it wrote just before its end is there by now.
      if (waiting[1].revents != 0 || has_ended) {
        hear(output, limit);
      }
      if (output.size() > limit) {
        end();
        return fmt::format("wrote more than {} bytes", limit);
      }
    }
    return reap();
  }

 private:
  void feed(std::string_view& input) {
    const ssize_t count = ::write(input_.get(), input.data(), input.size());
    if (count >= 0) {
      input.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EAGAIN && errno != EINTR) {
      input = {};  // it does not want to know more
    }
  }

  void hear(std::string& output, std::size_t limit) {
    std::array<char, 16384> block;  // NOLINT(cppcoreguidelines-pro-type-member-init): written next
    while (output.size() <= limit) {
      const ssize_t count = ::read(output_.get(), block.data(), block.size());
      if (count < 0 && errno == EINTR) {
        continue;
      }
      if (count == 0) {
        output_ = Descriptor{-1};  // it may run on without an output
      }
      if (count <= 0) {
        return;
      }
      output.append(block.data(), static_cast<std::size_t>(count));
    }
  }

  void end() {
    ::kill(-id_, SIGTERM);
    pollfd gone{gone_.get(), POLLIN, 0};
    (void)wait_for_any({&gone, 1}, deadline_in(grace), {});
    ::kill(-id_, SIGKILL);
    (void)reap();
  }

  [[nodiscard]] std::optional<std::string> reap() const {
    const int status = wait_for_end(id_);
    if (WIFSIGNALED(status)) {
      return fmt::format("was ended by signal {}", WTERMSIG(status));
    }
    return WEXITSTATUS(status) == 0 ? std::nullopt
                                    : std::optional(fmt::format("ended with status {}", WEXITSTATUS(status)));
  }

  pid_t id_;
  Descriptor gone_;
  Descriptor input_;
  Descriptor output_;
};

}  // namespace

const std::vector<std::string>& secret_variables() {
  // MQTT_PROPERTY may have the data of an authentication, and the two URLs a password.
  static const std::vector<std::string> variables{"MQTT_PASSWORD", "MQTT_PROPERTY", "MQTT_PROXY", "MQTT_PSK",
                                                  "MQTT_URL"};
  return variables;
}

std::optional<std::string> fault_of_program(const std::string& program) {
  const auto fault = [](const std::string& path) {
    return ::access(path.c_str(), X_OK) == 0 ? std::nullopt : std::optional<std::string>(std::strerror(errno));
  };
  if (program.find('/') != std::string::npos) {
    return fault(program);
  }
  const char* const path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  const std::vector<std::string> folders = pieces(path != nullptr ? path : "/usr/bin:/bin", ":");
  const auto is_there = [&](const std::string& folder) { return !fault(fmt::format("{}/{}", folder, program)); };
  return std::ranges::any_of(folders, is_there) ? std::nullopt
                                                : std::optional<std::string>("there is none in the folders of PATH");
}

CommandResult run_command(const Command& command, std::string_view input,
                          const std::map<std::string, std::string>& variables, const std::stop_token& stop) {
  const Deadline deadline = deadline_in(command.time_limit);
  std::optional<Child> child;
  try {
    Pipe to = make_pipe();
    Pipe from = make_pipe();
    // What a command has no use for is hidden, and what whoever writes to its log or its core file would find there.
    const pid_t id =
        start_program({.file = command.words.front(),
                       .words = command.words,
                       .variables = variables,
                       .hidden = secret_variables(),
                       .descriptors = {{to.reader.get(), STDIN_FILENO}, {from.writer.get(), STDOUT_FILENO}}});
    child.emplace(id, std::move(to.writer), std::move(from.reader));
  } catch (const std::system_error& error) {
    return {{}, fmt::format("cannot be started: {}", error.code().message())};
  }
  CommandResult result;
  result.fault = child->attend(input, result.output, command.output_limit, deadline, stop);
  return result;
}

}  // namespace sistem
