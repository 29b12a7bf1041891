#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "common/message.hpp"
#include "pub/pub_config.hpp"
#include "pub/readings.hpp"

namespace sistem {

/// Where messages come from. Each call is one turn: the messages that are due together, in order; none: the end, or a
/// stop was requested. Throws Error for input that cannot be read or is no message; all turns before it are good.
using Source = std::function<std::vector<Message>(const std::stop_token&)>;

/// The source that the options ask for.
[[nodiscard]] Source source_of(const PubConfig& config);

/// One message, once.
[[nodiscard]] Source one_message(Message message);

/// Each line of `fd` as the payload of a message like `pattern`: whole lines of any length and any bytes, without
/// their newline; an empty line is an empty payload, and a last line needs no newline.
/// `name` names the input in a complaint.
[[nodiscard]] Source lines_of(int fd, std::string name, Message pattern);

/// The host's readings, each on sistem/NAME with `pattern`'s QoS and retain flag, without end.
[[nodiscard]] Source readings_of(Readings readings, Message pattern);

}  // namespace sistem
