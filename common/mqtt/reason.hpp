#pragma once

#include <string>
#include <string_view>

namespace sistem {

/// From this one on a reason code says that something failed [MQTT5-2.4].
inline constexpr int first_failure = 0x80;

/// What a reason code of MQTT 5 says, with its number: "not authorized (0x87)" [MQTT5 table 2-6]. Also for a code that
/// the specification does not know.
[[nodiscard]] std::string reason_text(int code);

/// What a return code of CONNACK says before MQTT 5 [MQTT-3.2.2.3]: "not authorized"; empty for one that is none.
[[nodiscard]] std::string_view return_code_name(int code);

/// Whether MQTT 5 names that code at all.
[[nodiscard]] bool is_named_reason(int code);

}  // namespace sistem
