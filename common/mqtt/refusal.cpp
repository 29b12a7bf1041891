#include "common/mqtt/refusal.hpp"

#include <fmt/format.h>

#include "common/mqtt/reason.hpp"

namespace sistem {

std::string_view version_name(ProtocolVersion version) {
  switch (version) {
    case ProtocolVersion::v31: return "MQTT 3.1";
    case ProtocolVersion::v311: return "MQTT 3.1.1";
    case ProtocolVersion::v5: return "MQTT 5";
  }
  return "";
}

std::optional<std::string> connect_refusal(int code, ProtocolVersion version) {
  constexpr int unsupported_version = 0x84;
  if (code == 1 || code == unsupported_version) {
    return fmt::format("it does not speak {} (CONNACK code {})", version_name(version), code == 1 ? "1" : "0x84");
  }
  if (version == ProtocolVersion::v5) {
    return code >= first_failure ? std::optional(reason_text(code)) : std::nullopt;
  }
  const std::string_view name = return_code_name(code);
  return code == 0 || name.empty() ? std::nullopt : std::optional(fmt::format("{} (CONNACK code {})", name, code));
}

bool may_pass_with_time(int code) {
  switch (code) {
    case 3:     // before MQTT 5: server unavailable
    case 0x88:  // server unavailable
    case 0x89:  // server busy
    case 0x97:  // quota exceeded
    case 0x9F:  // connection rate exceeded
      return true;
    default: return false;
  }
}

bool refuses_what_was_sent(int code) {
  switch (code) {
    case 0x81:                 // malformed packet
    case 0x82:                 // protocol error
    case 0x87:                 // not authorized
    case 0x8F:                 // topic filter invalid
    case 0x90:                 // topic name invalid
    case topic_alias_invalid:  //
    case 0x95:                 // packet too large
    case 0x99:                 // payload format invalid
    case 0x9A:                 // retain not supported
    case 0x9B:                 // QoS not supported
    case 0x9E:                 // shared subscriptions not supported
    case 0xA1:                 // subscription identifiers not supported
    case 0xA2:                 // wildcard subscriptions not supported
      return true;
    default: return false;
  }
}

bool throws_out(int code) {
  constexpr int use_another_server = 0x9C;
  constexpr int server_moved = 0x9D;
  return code == session_taken_over || code == use_another_server || code == server_moved;
}

bool says_no_reason(int code) {
  constexpr int unspecified_error = 0x80;
  return code == unspecified_error || code == implementation_specific_error;
}

std::string with_words(std::string reason, const std::vector<Property>& properties) {
  if (const auto words = text_in(properties, "reason-string")) {
    reason += fmt::format(", \"{}\"", *words);
  }
  if (const auto server = text_in(properties, "server-reference")) {
    reason += fmt::format(", use {}", *server);
  }
  return reason;
}

}  // namespace sistem
