#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/mqtt/packet.hpp"
#include "tests/support/conformance.hpp"

namespace sistem::test {

/// A listener that answers as no honest broker would: it accepts one client after another and replies to each packet,
/// by its type, with the bytes that the test has given it, or with silence, or by closing the connection.
/// Whatever a client sends must be as MQTT wants it: a test whose client does otherwise fails.
class RogueBroker {
 public:
  static constexpr int connect_packet = 1;
  static constexpr int publish_packet = 3;
  static constexpr int pubrel_packet = 6;
  static constexpr int subscribe_packet = 8;
  static constexpr int ping_packet = 12;

  struct Reply {
    int to;             ///< packet type, from the first byte's upper half
    std::string bytes;  ///< sent as they are: a packet id in them is what Paho counts from, 1
    bool then_close = false;
    std::function<std::string(const Packet&)> answer = {};  ///< sent too: bytes that depend on the packet
    int after = 0;                                          ///< so many such packets are passed over first
    std::function<bool(const Packet&)> only = {};           ///< to such packets alone
  };

  /// What its clients speak: of something else it knows blocks of bytes, the first of which says their type.
  /// What is told nonsense may answer nonsense: that is not checked.
  enum class Clients { mqtt, mqtt_unchecked, something_else };

  explicit RogueBroker(std::vector<Reply> replies, Clients clients = Clients::mqtt)
      : RogueBroker(replies, replies, clients) {}
  /// The first connection gets other replies than those after it. `port`: where another one has listened before.
  RogueBroker(std::vector<Reply> first, std::vector<Reply> then, Clients clients = Clients::mqtt,
              std::uint16_t port = 0);
  RogueBroker(const RogueBroker&) = delete;
  RogueBroker& operator=(const RogueBroker&) = delete;
  ~RogueBroker();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// How many clients have connected so far.
  [[nodiscard]] int connections() const { return connections_; }
  /// All packets that clients have sent so far.
  [[nodiscard]] std::vector<Packet> packets() const;
  /// The same, once none of them is connected any more: what a client has sent last may still be on its way when it has
  /// ended. Waits for that no longer than for a process.
  [[nodiscard]] std::vector<Packet> all_packets() const;

 private:
  void serve(const std::stop_token& stop);
  void talk(int client, const std::vector<Reply>& replies, const std::stop_token& stop);
  void talk_foreign(int client, const std::stop_token& stop) const;

  std::vector<Reply> first_;
  std::vector<Reply> then_;
  Clients clients_;
  std::atomic<bool> is_talking_ = false;
  int listener_;
  std::uint16_t port_;
  std::atomic<int> connections_{0};
  mutable std::mutex mutex_;
  std::vector<Packet> packets_;
  Conformance conformance_;  ///< touched by the thread, and when it has ended
  std::jthread thread_;
};

/// An acknowledgement of two bytes: 4 PUBACK, 5 PUBREC, 7 PUBCOMP.
[[nodiscard]] std::string acknowledgement(int type, std::uint16_t packet_id);

/// What an honest broker answers to PUBLISH and to PUBREL.
[[nodiscard]] std::vector<RogueBroker::Reply> honest_acknowledgements();

}  // namespace sistem::test
