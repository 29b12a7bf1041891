#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/mqtt/property.hpp"
#include "common/mqtt/protocol.hpp"

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

// What a broker says no with, and what that means for the session. Codes are CONNACK's and DISCONNECT's
// [MQTT-3.2.2.3, MQTT5 3.2.2.2, MQTT5 3.14.2.1].

[[nodiscard]] std::string_view version_name(ProtocolVersion version);

/// Why the broker refused CONNECT, in words; nothing if the code is none of CONNACK's.
[[nodiscard]] std::optional<std::string> connect_refusal(int code, ProtocolVersion version);

/// Whether time may mend a refusal of CONNECT: the broker is there, but not ready, too busy, or has had too much of us.
[[nodiscard]] bool may_pass_with_time(int code);

/// Whether DISCONNECT with that code refuses something that was sent: the same would be refused again.
[[nodiscard]] bool refuses_what_was_sent(int code);

/// Whether DISCONNECT with that code throws a client out for good: another one has its id, or it must go elsewhere.
[[nodiscard]] bool throws_out(int code);

/// Whether DISCONNECT with that code says nothing of its reason.
[[nodiscard]] bool says_no_reason(int code);

inline constexpr int disconnect_with_will = 0x04;
inline constexpr int session_taken_over = 0x8E;
inline constexpr int topic_alias_invalid = 0x94;
inline constexpr int implementation_specific_error = 0x83;

/// A reason in words, with those that the broker has added to it.
[[nodiscard]] std::string with_words(std::string reason, const std::vector<Property>& properties);

}  // namespace sistem
