#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "common/connection_config.hpp"
#include "common/net/channel.hpp"
#include "common/net/tls.hpp"
#include "common/process/stop.hpp"

namespace sistem {

/// A way to the broker that stands.
struct Dialed {
  Channel channel;
  std::string way;  ///< for a person: "127.0.0.1:1883", "by the proxy at 10.0.0.1:1080, TLSv1.3 ..."
};

/// Makes connections to one broker, in the way that ConnectionConfig describes.
///
/// We dial and Paho speaks: Paho would try one address only, notice the connection up to 10 ms late, knows nothing of
/// SOCKS, local addresses and unix sockets, fails with a WebSocket whose answer is long or comes in pieces, and calls
/// whatever goes wrong "TCP/TLS connect failure".
class Dialer {
 public:
  /// Reads the files of TLS: throws Error, which names the one that cannot be used.
  explicit Dialer(ConnectionConfig config);

  /// Resolves the host and tries every one of its addresses in the resolver's order until one accepts; then proxy,
  /// TLS and WebSocket. Throws Error (no_broker) whose sentence names what was tried and why each attempt failed, also
  /// where the deadline passes or a stop is requested first.
  [[nodiscard]] Dialed dial(Deadline deadline, const std::stop_token& stop) const;

 private:
  [[nodiscard]] Dialed reach(Deadline deadline, const std::stop_token& stop) const;
  [[nodiscard]] Dialed reach_by_srv(Deadline deadline, const std::stop_token& stop) const;
  [[nodiscard]] Dialed reach_host(const std::string& host, std::uint16_t port, Deadline deadline,
                                  const std::stop_token& stop) const;

  ConnectionConfig config_;
  std::unique_ptr<const TlsClient> tls_;
};

}  // namespace sistem
