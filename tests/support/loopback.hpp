#pragma once

#include <cstdint>

namespace sistem::test {

/// A socket that listens on a free port of 127.0.0.1; the caller closes it.
[[nodiscard]] int listen_on_loopback();

/// The port that a socket is bound to.
[[nodiscard]] std::uint16_t port_of(int socket);

/// A port of 127.0.0.1 that nothing listens on at this moment.
[[nodiscard]] std::uint16_t free_port();

}  // namespace sistem::test
