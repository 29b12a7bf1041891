#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <thread>

namespace sistem::test {

/// A listener on the loopback that speaks whatever the test makes of it: one client after another is given to the
/// test's function, and closed after it.
class Peer {
 public:
  using Serve = std::function<void(int client, const std::stop_token& stop)>;

  explicit Peer(Serve serve);
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// How many clients have connected so far.
  [[nodiscard]] int connections() const { return connections_; }

 private:
  int listener_;
  std::uint16_t port_;
  std::atomic<int> connections_{0};
  std::jthread thread_;
};

/// What the client has sent next; empty where it has closed the connection, or the test is over.
[[nodiscard]] std::string heard_from(int client, const std::stop_token& stop);

/// Sends bytes to the client, as they are.
void say(int client, const std::string& bytes);

/// Hears the client until it closes the connection, or the test is over.
void hear_out(int client, const std::stop_token& stop);

/// Ends the connection by a reset, as a broker that is killed does with what it has not read.
void reset(int client);

/// Answers the client's request for a WebSocket as RFC 6455 wants it. What is said after it is to be in frames.
void accept_websocket(int client, const std::stop_token& stop);

/// A frame as a server sends it, for payloads of up to 125 bytes: `opcode` 2 binary data, 8 close.
[[nodiscard]] std::string server_frame(int opcode, const std::string& payload);

}  // namespace sistem::test
