#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/mqtt/limits.hpp"
#include "common/mqtt/packet.hpp"

namespace sistem::test {

/// Watches a client from the broker's side and collects what it does that MQTT does not allow, a sentence each. What
/// the broker says matters only for what it allows and acknowledges: it may be as wrong as a test wants.
class Conformance {
 public:
  /// A client has connected.
  void begin();
  /// It has sent a packet, whole.
  void client_sent(std::string_view bytes);
  /// It was sent these bytes: packets, or whatever a rogue sends.
  void broker_sent(std::string_view bytes);

  [[nodiscard]] const std::vector<std::string>& faults() const { return faults_; }

 private:
  /// A message of QoS 1 or 2 that the client has sent and that is not acknowledged.
  struct UnderWay {
    std::string content;  ///< topic and payload's size, to know it again
    int qos = 0;
    bool received = false;  ///< PUBREC has come
  };

  void fault(const std::string& what) { faults_.push_back(what); }
  void check_connect(const Packet& packet);
  void check_publish(const Packet& packet);
  void check_acknowledgement(const Packet& packet);
  void check_request(const Packet& packet);
  void take(const Packet& packet);

  ProtocolVersion version_ = ProtocolVersion::v311;
  std::vector<std::string> faults_;

  // Of this connection.
  bool connected_ = false;  ///< CONNECT has come
  bool ended_ = false;      ///< and DISCONNECT
  BrokerLimits limits_;
  std::map<std::uint32_t, std::string> aliases_;
  std::set<std::uint16_t> resent_;                          ///< packet ids that were sent again on it
  std::set<std::pair<PacketType, std::uint16_t>> unasked_;  ///< PUBRECs and PUBRELs of no exchange
  std::set<std::uint16_t> requests_;                        ///< of SUBSCRIBE and UNSUBSCRIBE without an answer

  // Of the session.
  std::map<std::uint16_t, UnderWay> under_way_;
  std::map<std::uint16_t, int> incoming_;  ///< QoS of what the broker has sent and the client has not acknowledged
};

}  // namespace sistem::test
