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

/// As exec(3) wants them.
std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers(texts.size() + 1);  // the last one is null
  std::ranges::transform(texts, pointers.begin(), [](std::string& text) { return text.data(); });
  return pointers;
}

}  // namespace

std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text{*variable};
    const std::size_t end = std::min(text.find('='), text.size());
    variables.emplace(text.substr(0, end), text.substr(std::min(end + 1, text.size())));
  }
  return variables;
}

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw std::system_error(errno, std::generic_category());
  }
  return {Descriptor{ends[0]}, Descriptor{ends[1]}};
}

pid_t start_program(Program program) {
  auto ours = environment();
  for (const std::string& name : program.hidden) {
    ours.erase(name);
  }
  program.variables.merge(ours);
  std::vector<std::string> variables;
  for (const auto& [name, value] : program.variables) {
    variables.push_back(fmt::format("{}={}", name, value));
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
                                   pointers_to(variables).data());
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
