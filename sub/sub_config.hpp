#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "common/connection.hpp"
#include "common/output.hpp"
#include "common/settings.hpp"

namespace sistem {

/// What sub was asked to do.
struct SubConfig {
  ConnectionConfig connection;
  std::vector<std::string> filters;  ///< topic filters; sistem/# where none was given
  int qos = 0;
  bool verbose = false;                                  ///< print the topic before each payload
  std::optional<std::size_t> count;                      ///< end after so many messages
  std::optional<std::chrono::duration<double>> timeout;  ///< end so long after the SUBACK
};

/// sub's table of options, bound to `config`.
[[nodiscard]] std::vector<Option> sub_rows(SubConfig& config);

/// Reads and checks every home of every option. Nothing where --help or --version was asked for, which is then
/// written to `output`. Throws UsageError.
[[nodiscard]] std::optional<SubConfig> read_sub_config(const Sources& sources, Output& output);

}  // namespace sistem
