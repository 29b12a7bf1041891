#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "common/connection.hpp"
#include "common/output.hpp"
#include "common/settings.hpp"

namespace sistem {

/// What pub was asked to do.
struct PubConfig {
  ConnectionConfig connection;
  std::optional<std::string> topic;  ///< topic name; nothing: the host's readings on sistem/...
  // Where the message comes from: one of these at most.
  std::optional<std::string> message;  ///< -m
  bool null_message = false;           ///< -n: an empty one
  std::optional<std::string> file;     ///< -f: the content of this file is the message
  bool stdin_file = false;             ///< -s: all of stdin is one message
  bool lines = false;                  ///< -l: each line of stdin is a message

  int qos = 0;
  bool retain = false;
  std::uint64_t repeat = 1;                       ///< publish the one message so often
  std::chrono::duration<double> repeat_delay{0};  ///< between two of those
  std::chrono::seconds interval{0};               ///< between two turns of the source; 0: at once

  bool request = false;                       ///< each message asks for an answer, which is printed
  std::optional<std::string> response_topic;  ///< where answers are expected; nothing: see request_all()
  bool no_newline = false;                    ///< after an answer
  std::chrono::duration<double> timeout{10};  ///< how long an answer, or a ping, may take

  [[nodiscard]] bool publishes_readings() const { return !topic; }
};

/// pub's table of options, bound to `config`.
[[nodiscard]] std::vector<Option> pub_rows(PubConfig& config);

/// Reads and checks every home of every option. Nothing where something was to be shown, as by --help, and is written
/// to `output`. Throws UsageError.
[[nodiscard]] std::optional<PubConfig> read_pub_config(const Sources& sources, Output& output, const Console& console);

}  // namespace sistem
