#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "common/process/console.hpp"
#include "common/process/error.hpp"
#include "common/process/output.hpp"
#include "common/session.hpp"

namespace sistem {

/// How long a ping may take in all, unless the user says something else.
inline constexpr std::chrono::duration<double> ping_limit{5};

/// Whether a broker does its work: connects, subscribes, publishes a message to itself, waits until it has come back,
/// disconnects and prints on one line how long the latter two took. timed_out: nothing came back in the time of
/// `connection.answer_limit`, which is given. Throws Error as the session does, and topic_refused where the broker
/// takes the subscription or the message not. `topic` empty: one of the client id's own, ping/ID. A session that is
/// kept takes messages of QoS 0 only: that is what is published then, and afterwards it has the subscriptions that it
/// had before.
[[nodiscard]] ExitStatus ping(const ConnectionConfig& connection, std::string topic, int qos, Output& output,
                              const Console& console, const std::stop_token& stop);

}  // namespace sistem
