#pragma once

#include <stop_token>

#include "common/process/console.hpp"
#include "common/process/error.hpp"
#include "common/process/output.hpp"
#include "common/session.hpp"
#include "sub/recording.hpp"
#include "sub/silence.hpp"
#include "sub/sub_config.hpp"

namespace sistem {

/// The connection that print_messages() is to have. In MQTT 5 the broker is told how many messages of QoS 1 and 2 are
/// wanted, so that it does not begin to deliver others [MQTT5 3.1.2.11.3]. Where some do not count it is not: one after
/// the other they would take too long.
[[nodiscard]] ConnectionConfig connection_of(const SubConfig& config);

/// Subscribes and unsubscribes, says so, and prints each message that is chosen to `output` until the count is reached,
/// the one comes that --until waits for, or one that is not retained where only retained ones were asked for (success);
/// until the time is up (timed_out, or verdict where so many were expected), nothing has come for as long as --idle has
/// it (the same, or success where nothing certain was asked for), or a stop is requested (success, or failure where
/// something was); then disconnects. What is printed is kept in `recording`, too. With -E it ends when the broker
/// has acknowledged, with what had arrived by then. Output is flushed whenever no further message is waiting.
/// topic_refused: the broker refused a filter; where others were granted and no count was asked for, they are printed
/// first. Where a session drops what is too much, that is told at the end and is a failure. Where nothing comes, that
/// is told to a person; with --why a second session, opened by `look`, is asked for topics. Throws OutputClosed soon
/// after the reader has gone, Error, and Expected for a format that is wrong.
[[nodiscard]] ExitStatus print_messages(Session& session, const SubConfig& config, Output& output,
                                        const Console& console, const std::stop_token& stop,
                                        const OpenSession& look = {}, Recording* recording = nullptr);

}  // namespace sistem
