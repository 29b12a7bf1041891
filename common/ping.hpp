#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "common/console.hpp"
#include "common/error.hpp"
#include "common/output.hpp"
#include "common/session.hpp"

namespace sistem {

/// How long a ping may take in all, unless the user says something else.
inline constexpr std::chrono::duration<double> ping_limit{5};

/// Whether a broker does its work: subscribes, publishes a message to itself, waits until it has come back, disconnects
/// and prints on one line how long both took. timed_out: nothing came back in time. Throws Error as the session does,
/// and topic_refused where the broker takes the subscription or the message not.
/// `topic` empty: one of the client id's own, ping/ID.
[[nodiscard]] ExitStatus ping(Session& session, std::string topic, int qos, Deadline deadline, Output& output,
                              const Console& console, const std::stop_token& stop);

}  // namespace sistem
