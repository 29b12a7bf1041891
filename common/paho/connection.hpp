#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/connection_config.hpp"
#include "common/mqtt/packet.hpp"
#include "common/net/dial.hpp"
#include "common/paho/client.hpp"
#include "common/paho/wire.hpp"
#include "common/process/error.hpp"
#include "common/process/stop.hpp"

namespace sistem {

/// One of the brokers that may serve us, and the way there.
struct Route {
  std::string where;
  Dialer dialer;
};
/// Those of a session. Throws Error for files of TLS that cannot be used.
struct Routes {
  explicit Routes(const ConnectionConfig& config);
  const std::vector<Route> all;               ///< in the order in which they are tried
  std::atomic<const Route*> tried = nullptr;  ///< the last, or first, one; any thread may ask
};

/// One connection, from dialing to its loss: numbered, and never used again. What follows the first four is what is
/// heard of it, and guarded by the session's mutex.
struct Connection {
  std::uint64_t number = 0;
  std::string where;  ///< the broker is, as a person reads it
  std::shared_ptr<Wire> wire;
  std::shared_ptr<Client> client;

  std::optional<Packet> connack = std::nullopt;
  bool session_present = false;  ///< the broker goes on with the session that this run has begun
  bool is_lost = false;
  bool was_of_use = false;                            ///< the broker has acknowledged or sent something
  std::optional<int> dismissal = std::nullopt;        ///< the code of DISCONNECT by which the broker has ended it
  std::optional<int> goodbye = std::nullopt;          ///< by which it must be closed, since the broker misuses it
  std::optional<std::string> because = std::nullopt;  ///< why it is lost, if the wire does not know
  std::optional<std::chrono::seconds> pings = std::nullopt;  ///< the keep alive, if Paho does not see to it
  Deadline since{};                                          ///< it is accepted
};

/// Why there is no CONNACK that says yes.
[[nodiscard]] Error no_answer(Connection& connection, const std::optional<Packet>& connack, bool is_lost,
                              const ConnectionConfig& config, bool is_stopped);

/// The keep alive that is in force: the broker may ask for another one [MQTT5 3.2.2.3.14]. And that of it which Paho
/// does not see to.
struct KeepAlive {
  std::chrono::seconds in_force;
  std::optional<std::chrono::seconds> own_pings;
};
[[nodiscard]] KeepAlive keep_alive_of(const Packet& connack, const ConnectionConfig& config);

}  // namespace sistem
