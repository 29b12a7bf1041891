#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "common/message.hpp"
#include "pub/pub_config.hpp"
#include "pub/readings.hpp"

namespace sistem {

/// When a turn is due on the run's schedule, which need not be when it happens: what is generated from it is the same
/// however late a turn is.
struct Moment {
  std::chrono::nanoseconds elapsed{0};           ///< since the schedule's first turn
  std::chrono::system_clock::time_point wall{};  ///< the time of day that goes with it
};

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
[[nodiscard]] Source source_of(const PubConfig& config, const std::stop_token& stop);

/// One message, once.
[[nodiscard]] Source one_message(Message message);

/// Each line of `fd` as the payload of a message like `pattern`: whole lines of any length and any bytes, without
/// their newline; an empty line is an empty payload, and a last line needs no newline.
/// `name` names the input in a complaint.
[[nodiscard]] Source lines_of(int fd, std::string name, Message pattern);

/// All that `fd` gives until its end, whatever it is: a file, a pipe, a terminal. Throws Error where it cannot be read
/// or a stop was requested before its end, and UsageError where it is more than `limit` bytes.
[[nodiscard]] std::string read_whole(int fd, const std::string& name, std::size_t limit, const std::stop_token& stop);

/// How many bytes of payload a PUBLISH like `pattern` can take, whose remaining length is 268,435,455 at most
/// [MQTT-2.2.3]. A few bytes on the safe side, the same for every version of MQTT.
[[nodiscard]] std::size_t payload_limit(const Message& pattern);

/// The host's readings, each on sistem/NAME with `pattern`'s QoS and retain flag, without end.
[[nodiscard]] Source readings_of(Readings readings, Message pattern);

}  // namespace sistem
