#pragma once

#include <chrono>
#include <string>

#include "pub/source/readings.hpp"
#include "pub/source/source.hpp"
#include "pub/source/source_config.hpp"

namespace sistem {

/// The host's readings, those that are asked for, each on PREFIX/NAME as a message like `pattern`, without end. Throws
/// Error where the host tells none of them in a few attempts, `between` which it waits.
[[nodiscard]] Source readings_of(Readings readings, const SourceConfig& config, Message pattern,
                                 std::chrono::milliseconds between = std::chrono::milliseconds{100});

/// A reading as JSON: {"value":12.5,"unit":"%","time":"2026-11-25T09:30:00.123Z"}.
[[nodiscard]] std::string json_of(const Reading& reading, std::chrono::system_clock::time_point time);

}  // namespace sistem
