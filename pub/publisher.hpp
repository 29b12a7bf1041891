#pragma once

#include <stop_token>

#include "common/process/console.hpp"
#include "common/process/error.hpp"
#include "common/process/output.hpp"
#include "common/session.hpp"
#include "pub/pace/pacer.hpp"
#include "pub/pub_config.hpp"
#include "pub/source/source.hpp"

namespace sistem {

/// The pacer that the options ask for.
[[nodiscard]] Pacer pacer_of(const PubConfig& config);

/// Publishes all that the source gives, when the pacer says, until it ends, its count or time is over or a stop is
/// requested; then waits for what is unacknowledged and disconnects. Readings, and with --verbose all messages, are
/// printed to `output` as `topic payload`; readings of a time without a connection are dropped. With --report the
/// report comes last, also where a stop or a fault has ended the run.
/// With --stamp each message has a stamp of the session's client id: its number, from 1, the time when it is handed to
/// the session, after a wait for room, and where it was paced the time when it was due, by the schedule as it is after
/// what was skipped or moved. What is printed is the message without it. A message without payload comes last and says
/// how many there were; it is in no report. A message that is to be repeated is published again when the pacer says or,
/// with a delay, that long after the one before was acknowledged (QoS 0: written). That is no schedule for the pacer:
/// the delay is the least that lies between two. success: everything taken from the source was acknowledged, each
/// repeat too. failure: a stop came before that, and the console says what was not. topic_refused: with --report,
/// messages were refused. Errors of the source, the session or the output are thrown on, after what was accepted before
/// them was acknowledged.
[[nodiscard]] ExitStatus publish_all(Session& session, Source& source, Pacer& pacer, const PubConfig& config,
                                     Output& output, const Console& console, const std::stop_token& stop);

}  // namespace sistem
