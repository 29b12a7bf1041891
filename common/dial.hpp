#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "common/connection.hpp"
#include "common/descriptor.hpp"
#include "common/stop.hpp"
#include "common/tls.hpp"

namespace sistem {

/// A way to the broker that stands.
struct Dialed {
  Descriptor socket;       ///< non-blocking
  std::string address;     ///< the numeric address that answered; empty where it is not the broker's: proxy, unix
  std::uint16_t port = 0;  ///< the broker's
  std::string way;         ///< the same for a person: "127.0.0.1:1883", "10.0.0.1:1080, a proxy"
  std::optional<Encrypted> tls;
};

/// Makes connections to one broker, in the way that ConnectionConfig describes.
///
/// We dial and Paho speaks: Paho would try one address only, notice the connection up to 10 ms late, knows nothing of
/// proxies, local addresses and unix sockets, and calls whatever goes wrong "TCP/TLS connect failure".
class Dialer {
 public:
  /// Reads the files of TLS: throws Error, which names the one that cannot be used.
  explicit Dialer(ConnectionConfig config);

  /// Resolves the host and tries every one of its addresses in the resolver's order until one accepts; then proxy and
  /// TLS. Throws Error (no_broker) whose sentence names what was tried and why each attempt failed, also where the
  /// deadline passes or a stop is requested first.
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
