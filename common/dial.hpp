#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "common/descriptor.hpp"
#include "common/stop.hpp"

namespace sistem {

/// A TCP connection that stands: non-blocking, without Nagle's delay.
struct Dialed {
  Descriptor socket;
  std::string address;  ///< the numeric address that answered
};

/// Resolves `host` and tries every one of its addresses in the resolver's order until one accepts.
/// Throws Error (no_broker) whose sentence names what was tried and why each attempt failed, also where the deadline
/// passes or a stop is requested first.
///
/// We dial and Paho speaks: Paho would try one address only, notice the connection up to 10 ms late, and call
/// whatever goes wrong "TCP/TLS connect failure".
[[nodiscard]] Dialed dial(const std::string& host, std::uint16_t port, Deadline deadline, const std::stop_token& stop);

}  // namespace sistem
