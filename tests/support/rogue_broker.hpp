#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace sistem::test {

/// A listener that answers as no honest broker would: it accepts one client after another and replies to each packet,
/// by its type, with the bytes that the test has given it, or with silence, or by closing the connection.
class RogueBroker {
 public:
  static constexpr int connect_packet = 1;
  static constexpr int publish_packet = 3;
  static constexpr int subscribe_packet = 8;
  static constexpr int ping_packet = 12;

  struct Reply {
    int to;             ///< packet type, from the first byte's upper half
    std::string bytes;  ///< sent as they are: a packet id in them is what Paho counts from, 1
    bool then_close = false;
  };

  explicit RogueBroker(std::vector<Reply> replies);
  RogueBroker(const RogueBroker&) = delete;
  RogueBroker& operator=(const RogueBroker&) = delete;
  ~RogueBroker();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// How many clients have connected so far.
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void serve(const std::stop_token& stop);
  void talk(int client, const std::stop_token& stop) const;

  std::vector<Reply> replies_;
  int listener_;
  std::uint16_t port_;
  std::atomic<int> connections_{0};
  std::jthread thread_;
};

}  // namespace sistem::test
