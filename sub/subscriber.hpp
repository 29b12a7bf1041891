#pragma once

#include <stop_token>

#include "common/console.hpp"
#include "common/error.hpp"
#include "common/output.hpp"
#include "common/session.hpp"
#include "sub/sub_config.hpp"

namespace sistem {

/// Subscribes, says so, and prints each message to `output`, one a line, until the count is reached (success), the
/// time is up (timed_out), or a stop is requested (success, or failure where a count was not reached); then
/// disconnects. Output is flushed whenever no further message is waiting.
/// topic_refused: the broker refused a filter; where others were granted and no count was asked for, they are printed
/// first. Throws OutputClosed soon after the reader has gone, and Error.
[[nodiscard]] ExitStatus print_messages(Session& session, const SubConfig& config, Output& output,
                                        const Console& console, const std::stop_token& stop);

}  // namespace sistem
