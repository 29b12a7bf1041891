#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/mqtt/property.hpp"
#include "common/mqtt/protocol.hpp"

namespace sistem {

/// What the broker publishes when this client is lost [MQTT-3.1.2-8].
struct Will {
  std::string topic;  ///< empty: there is no will
  std::string payload;
  int qos = 0;
  bool retain = false;
};

/// How the connection is encrypted, and whom it trusts. Files are PEM.
struct TlsConfig {
  bool enabled = false;
  std::string ca_file;        ///< certificates that are trusted
  std::string ca_path;        ///< a directory of such, hashed by `openssl rehash`
  bool system_store = false;  ///< trust what the system trusts, too
  std::string certificate;    ///< the client's own, and its
  std::string key;            ///< private key,
  std::string key_password_file;
  std::string key_password;  ///< which may be encrypted
  int version = 0;           ///< the only one allowed, by its number in TLS; 0: what both sides have
  std::string ciphers;       ///< OpenSSL's list; empty: its default
  std::string server_name;   ///< asked for and looked for in the certificate, instead of the host's
  std::string alpn;          ///< the one protocol that is offered [RFC 7301]
  bool insecure = false;     ///< the certificate may be of another host
  bool refused = false;      ///< no TLS, though something would mean it
  std::string psk;           ///< pre-shared key, in hexadecimal; instead of certificates
  std::string psk_identity;
  std::string keylog;  ///< a file that gets the session's secrets, for Wireshark
};

/// A proxy between us and the broker; it resolves the broker's name.
struct Proxy {
  enum class Kind : std::uint8_t { socks5, http };  ///< RFC 1928; CONNECT of RFC 9110 9.3.6
  Kind kind = Kind::socks5;
  std::string host;  ///< empty: there is none
  std::uint16_t port = 0;
  std::string username;  ///< empty: no authentication
  std::string password;
};

/// Where a broker listens.
struct BrokerPlace {
  std::string host;
  std::uint16_t port = 0;

  friend bool operator==(const BrokerPlace&, const BrokerPlace&) = default;
};

/// What both tools need to know to reach a broker and stay connected.
struct ConnectionConfig {
  std::string host = "localhost";  ///< or several, as they were typed
  std::uint16_t port = 0;          ///< 0 in the table: 1883, with TLS 8883; never 0 once the options are checked
  /// The brokers that `host` names, each with its port, in the order in which they are tried; at least one once the
  /// options are checked.
  std::vector<BrokerPlace> brokers;
  std::string unix_path;     ///< a socket of the broker's host instead of host and port
  std::string bind_address;  ///< the local address (or the host's name for it) to connect from
  bool srv = false;          ///< ask the DNS for _mqtt._tcp.HOST [RFC 2782]
  bool websocket = false;    ///< MQTT in WebSocket frames [MQTT-6]
  std::string websocket_path = "/mqtt";
  Proxy proxy;
  bool no_delay = true;     ///< without Nagle's delay
  bool one_by_one = false;  ///< each packet by a system call of its own
  TlsConfig tls;

  ProtocolVersion version = ProtocolVersion::v311;
  std::string client_id;         ///< empty: one is made up of the prefix and random digits
  std::string client_id_prefix;  ///< letters and digits
  std::string id_prefix;         ///< of a client id that ends in the process's number, instead of client_id
  std::string username;          ///< empty: none is sent
  std::optional<std::string> password;
  std::string password_file;                    ///< read by check_connection()
  bool allow_readable_secrets = false;          ///< such files may be open to others
  bool clean_session = true;                    ///< MQTT 5: clean start
  std::optional<std::uint32_t> session_expiry;  ///< s after the connection ends; 2^32-1: never [MQTT5 3.1.2.11.2]
  std::chrono::seconds keep_alive{60};
  std::optional<std::size_t> max_inflight;  ///< messages of QoS 1 and 2 on their way at the same time
  Will will;
  std::vector<PlacedProperty> properties;  ///< -D, in the order given; those of PUBLISH among them
  bool automatic_topic_alias = false;      ///< MQTT 5: topic names are sent once on a connection, then their aliases
  bool will_on_disconnect = false;         ///< MQTT 5: DISCONNECT asks for the will

  bool ping = false;   ///< do nothing but try whether the broker works
  bool debug = false;  ///< say on stderr what is sent and received
  bool quiet = false;  ///< say nothing of what goes wrong at run time

  /// Whether the first connection may come later, and how long it may take; no limit: for ever.
  bool wait_for_broker = false;
  std::optional<std::chrono::duration<double>> wait_limit;

  /// How long connecting and subscribing may take together, or the run ends with status 27.
  std::optional<std::chrono::duration<double>> answer_limit;

  /// How long the broker may acknowledge nothing while something waits for it. The run then ends: with status 27 if
  /// answer_limit is given as well; else with 3, and the time counts only while the broker could acknowledge.
  std::optional<std::chrono::duration<double>> acknowledge_limit;

  /// Whether a connection that was lost is to be regained, how long that may take (no limit: for ever), and the longest
  /// wait between two attempts, those of the first connection among them.
  bool reconnect = true;
  std::optional<std::chrono::duration<double>> reconnect_limit;
  std::chrono::duration<double> reconnect_max_delay{5};

  std::chrono::seconds connect_timeout{10};  ///< for reaching the broker, and again for its CONNACK
};

/// `host:port` as a person reads it; an IPv6 address goes in brackets.
[[nodiscard]] inline std::string place(const std::string& host, std::uint16_t port) {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

/// Where the first broker is, as a person reads it: `host:port`, or the path of its socket.
[[nodiscard]] inline std::string place(const ConnectionConfig& config) {
  const BrokerPlace first = config.brokers.empty() ? BrokerPlace{config.host, config.port} : config.brokers.front();
  return config.unix_path.empty() ? place(first.host, first.port) : config.unix_path;
}

}  // namespace sistem
