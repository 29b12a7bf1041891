#pragma once

#include <string>

namespace sistem {

/// From this one on a reason code says that something failed [MQTT5-2.4].
inline constexpr int first_failure = 0x80;

/// What a reason code of MQTT 5 says, with its number: "not authorized (0x87)" [MQTT5 table 2-6]. Also for a code that
/// the specification does not know.
[[nodiscard]] std::string reason_text(int code);

/// Whether MQTT 5 names that code at all.
[[nodiscard]] bool is_named_reason(int code);

}  // namespace sistem
