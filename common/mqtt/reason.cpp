#include "common/mqtt/reason.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "common/text/encoding.hpp"

namespace sistem {
namespace {

/// What a code says about the session, beside its name.
enum class Says { nothing, no_reason, try_later, refused, thrown_out };

struct Reason {
  int code;
  std::string_view name;
  Says says = Says::nothing;
};

/// In the order of their numbers. 0 is named for all the packets that it may stand in.
constexpr std::array reasons{
    Reason{0x00, "success"},
    Reason{0x01, "granted QoS 1"},
    Reason{0x02, "granted QoS 2"},
    Reason{0x04, "disconnect with will message"},
    Reason{0x10, "no matching subscribers"},
    Reason{0x11, "no subscription existed"},
    Reason{0x18, "continue authentication"},
    Reason{0x19, "re-authenticate"},
    Reason{0x80, "unspecified error", Says::no_reason},
    Reason{0x81, "malformed packet", Says::refused},
    Reason{0x82, "protocol error", Says::refused},
    Reason{0x83, "implementation specific error", Says::no_reason},
    Reason{0x84, "unsupported protocol version"},
    Reason{0x85, "client identifier not valid"},
    Reason{0x86, "bad user name or password"},
    Reason{0x87, "not authorized", Says::refused},
    Reason{0x88, "server unavailable", Says::try_later},
    Reason{0x89, "server busy", Says::try_later},
    Reason{0x8A, "banned"},
    Reason{0x8B, "server shutting down"},
    Reason{0x8C, "bad authentication method"},
    Reason{0x8D, "keep alive timeout"},
    Reason{0x8E, "session taken over", Says::thrown_out},
    Reason{0x8F, "topic filter invalid", Says::refused},
    Reason{0x90, "topic name invalid", Says::refused},
    Reason{0x91, "packet identifier in use"},
    Reason{0x92, "packet identifier not found"},
    Reason{0x93, "receive maximum exceeded"},
    Reason{0x94, "topic alias invalid", Says::refused},
    Reason{0x95, "packet too large", Says::refused},
    Reason{0x96, "message rate too high"},
    Reason{0x97, "quota exceeded", Says::try_later},
    Reason{0x98, "administrative action"},
    Reason{0x99, "payload format invalid", Says::refused},
    Reason{0x9A, "retain not supported", Says::refused},
    Reason{0x9B, "QoS not supported", Says::refused},
    Reason{0x9C, "use another server", Says::thrown_out},
    Reason{0x9D, "server moved", Says::thrown_out},
    Reason{0x9E, "shared subscriptions not supported", Says::refused},
    Reason{0x9F, "connection rate exceeded", Says::try_later},
    Reason{0xA0, "maximum connect time"},
    Reason{0xA1, "subscription identifiers not supported", Says::refused},
    Reason{0xA2, "wildcard subscriptions not supported", Says::refused},
};

const Reason* found(int code) {
  const auto* const one =
      std::find_if(reasons.begin(), reasons.end(), [&](const Reason& reason) { return reason.code == code; });
  return one == reasons.end() ? nullptr : one;
}

bool is_one_that(Says says, int code) {
  const Reason* const reason = found(code);
  return reason != nullptr && reason->says == says;
}

}  // namespace

std::string_view return_code_name(int code) {
  constexpr std::array<std::string_view, 6> names{"accepted",
                                                  "protocol version not supported",
                                                  "client id not accepted",
                                                  "service not available",
                                                  "bad user name or password",
                                                  "not authorized"};
  const auto at = static_cast<std::size_t>(code);
  return at < names.size() ? names[at] : std::string_view{};
}

bool is_named_reason(int code) { return found(code) != nullptr; }

std::string reason_text(int code) {
  const Reason* const reason = found(code);
  return fmt::format("{} (0x{:02X})", reason == nullptr ? "a reason that MQTT 5 does not name" : reason->name, code);
}

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
  constexpr int server_unavailable = 3;  // before MQTT 5
  return code == server_unavailable || is_one_that(Says::try_later, code);
}

bool refuses_what_was_sent(int code) { return is_one_that(Says::refused, code); }

bool throws_out(int code) { return is_one_that(Says::thrown_out, code); }

bool says_no_reason(int code) { return is_one_that(Says::no_reason, code); }

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
