#pragma once

#include <stop_token>

#include "common/process/console.hpp"
#include "common/process/error.hpp"
#include "common/process/output.hpp"
#include "common/session.hpp"
#include "pub/pub_config.hpp"
#include "pub/source/source.hpp"

namespace sistem {

/// Publishes each message of the source as a request and waits for its answer, one after the other, each as often as it
/// is to be repeated; then disconnects. In MQTT 5 a request says where its answer is expected and carries correlation
/// data, by which that is recognized [MQTT5 4.10]; before, the first message on a topic that both sides have agreed on
/// is the answer. The payload of an answer and a newline go to `output`; where a request is repeated, the console says
/// how long each round trip took, and all of them.
/// success: each request was answered. timed_out: one was not, in the configured time. failure: a stop came first.
/// Throws Error as the session and the source do, and topic_refused where the broker takes the subscription for the
/// answers not.
[[nodiscard]] ExitStatus request_all(Session& session, Source& source, const PubConfig& config, Output& output,
                                     const Console& console, const std::stop_token& stop);

}  // namespace sistem
