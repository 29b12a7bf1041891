#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/settings.hpp"

namespace sistem {

/// What both tools need to know to reach a broker and stay connected.
struct ConnectionConfig {
  std::string host = "localhost";
  std::uint16_t port = 1883;
  std::string client_id;         ///< empty: one is made up of the prefix and random digits
  std::string client_id_prefix;  ///< letters and digits
  bool debug = false;            ///< say on stderr what is sent and received

  /// Whether the first connection may come later, and how long it may take; no limit: for ever.
  bool wait_for_broker = false;
  std::optional<std::chrono::duration<double>> wait_limit;

  /// How long a connection that was lost may take to come back; no limit: for ever.
  std::optional<std::chrono::duration<double>> reconnect_limit;

  std::chrono::seconds keep_alive{60};
  std::chrono::seconds connect_timeout{10};  ///< for reaching the broker, and again for its CONNACK
};

/// The rows that both tools share.
[[nodiscard]] std::vector<Option> connection_rows(ConnectionConfig& config);

/// `host:port` as a person reads it; an IPv6 address goes in brackets.
[[nodiscard]] std::string place(const std::string& host, std::uint16_t port);

}  // namespace sistem
