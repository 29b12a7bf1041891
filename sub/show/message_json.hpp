#pragma once

#include <string>
#include <string_view>

#include "common/mqtt/message.hpp"

namespace sistem {

/// How the payload stands in the JSON: as a string (%j), or as the JSON that it is itself (%J).
enum class JsonPayload { quoted, embedded };

/// Appends a message as one JSON object, with mosquitto_sub's keys in its order. `time` is when it arrived. False,
/// and nothing is appended, where a payload that should be embedded is no JSON (or nested deeper than 1000, where
/// mosquitto_sub ends too: nobody's stack need hold what a stranger sends).
[[nodiscard]] bool append_json(const Message& message, std::string_view time, JsonPayload payload, bool pretty,
                               std::string& out);

}  // namespace sistem
