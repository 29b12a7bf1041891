#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "common/connection_config.hpp"
#include "common/process/stop.hpp"

namespace sistem {

class Channel;

/// Asks the proxy at the other end to connect us to `host`, whose name the proxy resolves: by SOCKS5 [RFC 1928], with
/// the proxy's user name and password [RFC 1929] where it has any, or by HTTP's CONNECT [RFC 9110 9.3.6]. Afterwards
/// the channel is as good as one to the host itself. Throws Unreachable, which says who failed, and why.
void connect_through(Channel& channel, const Proxy& proxy, const std::string& host, std::uint16_t port,
                     Deadline deadline, const std::stop_token& stop);

}  // namespace sistem
