#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "common/connection_config.hpp"
#include "common/mqtt/message.hpp"
#include "common/process/console.hpp"
#include "pub/pace/moment.hpp"
#include "pub/source/source_config.hpp"

namespace sistem {

/// The messages that are due together, in order.
struct Turn {
  std::vector<Message> messages;                  ///< none: the source has ended, or a stop was requested
  std::optional<std::chrono::nanoseconds> due{};  ///< since the first turn, where the source itself knows when
};

/// Where messages come from. Each call is one turn. Throws Error for input that cannot be read or is no message; all
/// turns before it are good.
using Source = std::function<Turn(const Moment&, const std::stop_token&)>;

/// The source that the options ask for. Reads --file and --stdin-file to their end: what can be wrong with them is told
/// before there is a connection, and nobody holds one while stdin is slow. Throws Error where one of them cannot be
/// read, stdin brings nothing or a stop was requested before the end, and UsageError for more than one message takes.
/// The source tells the console of lines that it skips. Of `connection` it takes the properties of PUBLISH, which
/// messages have in MQTT 5 only.
[[nodiscard]] Source source_of(const SourceConfig& config, const ConnectionConfig& connection, const Console& console,
                               const std::stop_token& stop);

/// One message, once.
[[nodiscard]] Source one_message(Message message);

/// These messages, in one turn.
[[nodiscard]] Source messages(std::vector<Message> all);

}  // namespace sistem
