#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/process/descriptor.hpp"

namespace sistem {

/// The variables of this process.
[[nodiscard]] std::map<std::string, std::string> environment();

struct Pipe {
  Descriptor reader;
  Descriptor writer;
};

/// Closed by exec. Throws std::system_error.
[[nodiscard]] Pipe make_pipe();

/// What is started, and with what.
struct Program {
  enum class Signals {
    as_here,   ///< blocked and ignored are those that are so here
    as_usual,  ///< none is blocked, and SIGPIPE ends it
  };

  std::string file;                                ///< found by PATH
  std::vector<std::string> words;                  ///< its own name is the first
  std::map<std::string, std::string> variables;    ///< of its environment, beside ours
  std::vector<std::string> hidden{};               ///< variables of ours that it does not get
  std::vector<std::pair<int, int>> descriptors{};  ///< ours, and the number by which it has each
  Signals signals = Signals::as_usual;
};

/// Runs a program in a process group of its own: Ctrl-C comes to us alone. Throws std::system_error where that cannot
/// be done. Its process id.
[[nodiscard]] pid_t start_program(Program program);

/// Waits for the end of a process that was started. Its status, as waitpid(2) gives it.
[[nodiscard]] int wait_for_end(pid_t process);

}  // namespace sistem
