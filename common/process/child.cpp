#include "common/process/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <system_error>

namespace sistem {
namespace {

void add_environment(Program& program) {
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text{*entry};
    const std::size_t equals = text.find('=');
    const std::string name{text.substr(0, equals)};
    if (equals != std::string_view::npos && std::ranges::find(program.hidden, name) == program.hidden.end()) {
      program.variables.emplace(name, text.substr(equals + 1));
    }
  }
}

/// As exec(3) wants them.
std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers(texts.size() + 1);  // the last one is null
  std::ranges::transform(texts, pointers.begin(), [](std::string& text) { return text.data(); });
  return pointers;
}

}  // namespace

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw std::system_error(errno, std::generic_category());
  }
  return {Descriptor{ends[0]}, Descriptor{ends[1]}};
}

pid_t start_program(Program program) {
  add_environment(program);
  std::vector<std::string> environment;
  for (const auto& [name, value] : program.variables) {
    environment.push_back(fmt::format("{}={}", name, value));
  }
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  for (const auto& [ours, its] : program.descriptors) {
    ::posix_spawn_file_actions_adddup2(&actions, ours, its);  // not closed by exec, also where they are the same
  }
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  short flags = POSIX_SPAWN_SETPGROUP;
  if (program.signals == Program::Signals::as_usual) {
    flags |= POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    sigset_t signals;
    sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes, &signals);
    sigaddset(&signals, SIGPIPE);
    ::posix_spawnattr_setsigdefault(&attributes, &signals);
  }
  ::posix_spawnattr_setflags(&attributes, flags);
  pid_t id = -1;
  const int error = ::posix_spawnp(&id, program.file.c_str(), &actions, &attributes, pointers_to(program.words).data(),
                                   pointers_to(environment).data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    throw std::system_error(error, std::generic_category());
  }
  return id;
}

int wait_for_end(pid_t process) {
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace sistem
