#include "common/paho/connection.hpp"

#include <fmt/format.h>

#include "common/mqtt/reason.hpp"

namespace sistem {
namespace {

/// Paho looks once a second whether a ping is due. A broker waits for one and a half times the keep alive
/// [MQTT-3.1.2-24]: below this it may have waited too long by then (1.3.14: 1.8 s with a keep alive of 1 s).
constexpr std::chrono::seconds pahos_precision{5};

/// What may be wrong with a peer that accepts the connection and nothing more.
std::string doubt(const ConnectionConfig& config) {
  return config.version == ProtocolVersion::v311 ? "is it an MQTT broker?"
                                                 : fmt::format("does it speak {}?", version_name(config.version));
}

/// What a port may want that closes the connection when it gets CONNECT.
std::string other_wish(const ConnectionConfig& config) {
  const bool tls = !config.tls.enabled;
  const bool websocket = !config.websocket;
  return tls && websocket ? " (it may want TLS: --cafile or --tls-use-os-certs; or a WebSocket: --ws)"
         : tls            ? " (it may want TLS: --cafile or --tls-use-os-certs)"
         : websocket      ? " (it may want a WebSocket: --ws)"
                          : "";
}

std::vector<Route> routes_to(const ConnectionConfig& config) {
  std::vector<Route> routes;
  for (const BrokerPlace& broker : config.brokers) {
    ConnectionConfig one = config;
    one.host = broker.host;
    one.port = broker.port;
    one.brokers = {broker};
    routes.push_back({place(one), Dialer{one}});
  }
  return routes;
}

}  // namespace

Routes::Routes(const ConnectionConfig& config) : all(routes_to(config)), tried(&all.front()) {}

Error no_answer(Connection& connection, const std::optional<Packet>& connack, bool is_lost,
                const ConnectionConfig& config, bool is_stopped) {
  const std::string& where = connection.where;
  Wire& wire = *connection.wire;
  const auto last_word = wire.last_word();
  if (connack && !connack->codes.empty()) {
    const int code = connack->codes.front();
    if (const auto why = connect_refusal(code, config.version)) {
      return Error{
          fmt::format("the broker at {} refused the connection: {}", where, with_words(*why, connack->properties)),
          may_pass_with_time(code) ? ExitStatus::no_broker : ExitStatus::broker_refused};
    }
    if (code != 0) {
      return Error{fmt::format("no broker at {}: CONNACK with code {}, which {} does not have", where, code,
                               version_name(config.version)),
                   ExitStatus::no_broker};
    }
  }
  if (last_word) {
    return Error{fmt::format("no broker at {}: {}", where, *last_word), ExitStatus::no_broker};
  }
  // Paho C does not say that it could not start its threads.
  if (!is_stopped && !is_lost && !wire.is_closed_by_peer() && (connack || !wire.has_sent())) {
    return Error{
        fmt::format("cannot speak with the broker at {}: threads, memory or descriptors of this process are "
                    "short (see ulimit -a)",
                    where)};
  }
  return Error{
      fmt::format("no broker at {}: it accepted the connection, but {}", where,
                  is_stopped                 ? "the run was stopped before it answered CONNECT"
                  : wire.is_closed_by_peer() ? fmt::format("closed it{}: {}", other_wish(config), doubt(config))
                                             : "did not answer CONNECT: " + doubt(config)),
      ExitStatus::no_broker};
}

KeepAlive keep_alive_of(const Packet& connack, const ConnectionConfig& config) {
  const auto asked =
      config.version == ProtocolVersion::v5 ? number_in(connack.properties, "server-keep-alive") : std::nullopt;
  const std::chrono::seconds own = config.keep_alive;
  const std::chrono::seconds in_force = asked ? std::chrono::seconds{*asked} : own;
  // Paho keeps to its own: 1.3.12 does not know that the broker may ask for a shorter one.
  if (asked && *asked > 0 && (own.count() == 0 || in_force < own)) {
    return {in_force, in_force};
  }
  return {in_force, own.count() > 0 && own < pahos_precision ? std::optional(own) : std::nullopt};
}

}  // namespace sistem
