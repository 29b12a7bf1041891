#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "common/process/stop.hpp"

namespace sistem {

/// A program, how it is started, and what it may cost.
struct Command {
  std::vector<std::string> words;  ///< the program, found by PATH, and its arguments; no shell reads them
  std::chrono::duration<double> time_limit{30};
  std::size_t output_limit = 0;  ///< bytes
};

/// What a program has left.
struct CommandResult {
  std::string output;                ///< all that it wrote to stdout
  std::optional<std::string> fault;  ///< why that is not to be used: "ended with status 3"
};

/// The variables of ours that a command does not get, because they may hold a secret: those of all options that have
/// one.
[[nodiscard]] const std::vector<std::string>& secret_variables();

/// Why no program could be started by that name, before it is tried; nothing where one is there.
[[nodiscard]] std::optional<std::string> fault_of_program(const std::string& program);

/// Runs a program to its end with `input` on its stdin; its stderr is ours. `variables` are added to its environment.
/// It gets a process group of its own, which is ended as a whole where the time is up, it says too much or a stop is
/// requested. What it leaves running in the background is nobody's concern.
[[nodiscard]] CommandResult run_command(const Command& command, std::string_view input,
                                        const std::map<std::string, std::string>& variables,
                                        const std::stop_token& stop);

}  // namespace sistem
