#pragma once

#include <stop_token>

#include "common/console.hpp"
#include "common/error.hpp"
#include "common/output.hpp"
#include "common/session.hpp"
#include "pub/pacer.hpp"
#include "pub/pub_config.hpp"
#include "pub/source.hpp"

namespace sistem {

/// Publishes all that the source gives, when the pacer says, until it ends or a stop is requested; then waits for what
/// is unacknowledged and disconnects. Readings are printed to `output` as `topic payload`;
/// those of a time without a connection are dropped.
/// A message that is to be repeated is published again at once or, with a delay, that long after the one before was
/// acknowledged (QoS 0: written). That is no schedule for the pacer: the delay is the least that lies between two.
/// success: everything taken from the source was acknowledged, each repeat too. failure: a stop came before that, and
/// the console says what was not. Errors of the source, the session or the output are thrown on, after what was
/// accepted before them was acknowledged.
[[nodiscard]] ExitStatus publish_all(Session& session, Source& source, Pacer& pacer, const PubConfig& config,
                                     Output& output, const Console& console, const std::stop_token& stop);

}  // namespace sistem
