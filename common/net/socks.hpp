#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "common/connection_config.hpp"
#include "common/process/stop.hpp"

namespace sistem {

/// Asks the SOCKS5 proxy [RFC 1928] at the other end of a connected, non-blocking socket to connect us to `host`,
/// whose name the proxy resolves; with the proxy's user name and password [RFC 1929] where it has any. Afterwards the
/// socket is as good as one that is connected to the host itself. Throws Unreachable, which says who failed, and why.
void connect_through(int fd, const Proxy& proxy, const std::string& host, std::uint16_t port, Deadline deadline,
                     const std::stop_token& stop);

}  // namespace sistem
