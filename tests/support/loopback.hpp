#pragma once

#include <cstdint>

namespace sistem::test {

/// A socket that listens on that port of 127.0.0.1, 0: on a free one; the caller closes it.
[[nodiscard]] int listen_on_loopback(std::uint16_t port = 0);

/// The port that a socket is bound to.
[[nodiscard]] std::uint16_t port_of(int socket);

/// A port of 127.0.0.1 that nothing listens on at this moment.
[[nodiscard]] std::uint16_t free_port();

}  // namespace sistem::test
