#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace sistem {

/// One record of an SRV answer [RFC 2782].
struct SrvTarget {
  std::string host;
  std::uint16_t port;
  std::uint16_t priority;  ///< the lowest goes first
  std::uint16_t weight;    ///< of those with one priority: its share of the connections

  bool operator==(const SrvTarget&) const = default;
};

/// The name that is asked for: that of mosquitto's library, _mqtt or with TLS _secure-mqtt.
[[nodiscard]] std::string srv_name(const std::string& host, bool tls);

/// Asks the system's name servers, and may take half a minute. The targets come in the answer's order. Throws
/// Unreachable where there is none.
[[nodiscard]] std::vector<SrvTarget> look_up_srv(const std::string& name);

/// What an answer as it came over the wire [RFC 1035 4.1] offers. Throws Unreachable where that is nothing, which a
/// single target of "." says in so many words.
[[nodiscard]] std::vector<SrvTarget> targets_in(const std::vector<unsigned char>& answer, const std::string& name);

/// The order in which the targets are tried: by priority, and within one drawn by weight.
[[nodiscard]] std::vector<SrvTarget> in_order_of_trial(std::vector<SrvTarget> targets, std::minstd_rand& random);

}  // namespace sistem
