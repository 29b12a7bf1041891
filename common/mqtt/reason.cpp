#include "common/mqtt/reason.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace sistem {
namespace {

struct Reason {
  int code;
  std::string_view name;
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
    Reason{0x80, "unspecified error"},
    Reason{0x81, "malformed packet"},
    Reason{0x82, "protocol error"},
    Reason{0x83, "implementation specific error"},
    Reason{0x84, "unsupported protocol version"},
    Reason{0x85, "client identifier not valid"},
    Reason{0x86, "bad user name or password"},
    Reason{0x87, "not authorized"},
    Reason{0x88, "server unavailable"},
    Reason{0x89, "server busy"},
    Reason{0x8A, "banned"},
    Reason{0x8B, "server shutting down"},
    Reason{0x8C, "bad authentication method"},
    Reason{0x8D, "keep alive timeout"},
    Reason{0x8E, "session taken over"},
    Reason{0x8F, "topic filter invalid"},
    Reason{0x90, "topic name invalid"},
    Reason{0x91, "packet identifier in use"},
    Reason{0x92, "packet identifier not found"},
    Reason{0x93, "receive maximum exceeded"},
    Reason{0x94, "topic alias invalid"},
    Reason{0x95, "packet too large"},
    Reason{0x96, "message rate too high"},
    Reason{0x97, "quota exceeded"},
    Reason{0x98, "administrative action"},
    Reason{0x99, "payload format invalid"},
    Reason{0x9A, "retain not supported"},
    Reason{0x9B, "QoS not supported"},
    Reason{0x9C, "use another server"},
    Reason{0x9D, "server moved"},
    Reason{0x9E, "shared subscriptions not supported"},
    Reason{0x9F, "connection rate exceeded"},
    Reason{0xA0, "maximum connect time"},
    Reason{0xA1, "subscription identifiers not supported"},
    Reason{0xA2, "wildcard subscriptions not supported"},
};

const Reason* found(int code) {
  const auto* const one =
      std::find_if(reasons.begin(), reasons.end(), [&](const Reason& reason) { return reason.code == code; });
  return one == reasons.end() ? nullptr : one;
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

}  // namespace sistem
