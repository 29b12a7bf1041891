#pragma once

#include "common/process/console.hpp"
#include "pub/source/input.hpp"
#include "pub/source/source.hpp"
#include "pub/source/source_config.hpp"

namespace sistem {

/// The messages of a recording, each in a turn of its own that is due as long after the first as it arrived then. The
/// time between two is that of the clock that never jumps; where a line does not say it, or it went back since another
/// host or another start of this one wrote it, that of the time of day, and where that went back, too, none.
/// `pattern` has the QoS and the retain flag, where options say them, and properties for all; without `has_properties`
/// messages have none, as before MQTT 5. Reads line by line, so that a recording may be larger than memory. A line that
/// is no message is told as FILE:7. With --loop it begins again without end, as long after its last message as two of
/// it are apart on average; one that has but one message, after a second. Throws UsageError where it cannot be read
/// twice.
[[nodiscard]] Source replay_of(LineReader lines, const SourceConfig& config, const Message& pattern,
                               bool has_properties, const Console& console);

}  // namespace sistem
