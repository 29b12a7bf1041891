#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace sistem::test {

/// A proxy on the loopback that takes every name for 127.0.0.1. One client at a time.
class TestProxy {
 public:
  struct Manner {
    std::string username;  ///< empty: everybody may come
    std::string password;
    int reply = 0;         ///< to CONNECT; anything but 0 is a refusal
    bool http = false;     ///< speaks HTTP's CONNECT, not SOCKS5; a reply is then a status, 0 for 200
    std::string greeting;  ///< said instead of all that, where it is not empty
  };

  TestProxy() : TestProxy(Manner{}) {}
  explicit TestProxy(Manner manner);
  TestProxy(const TestProxy&) = delete;
  TestProxy& operator=(const TestProxy&) = delete;
  ~TestProxy();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// What the last client asked to be connected to: "name broker.example", "IPv4 127.0.0.1", "IPv6 ::1"; of HTTP the
  /// whole request.
  [[nodiscard]] std::string asked_for() const;

 private:
  void serve(const std::stop_token& stop);
  /// The port to connect the client to; 0 where it is turned away.
  std::uint16_t receive_request(int client);
  std::uint16_t receive_http(int client);

  Manner manner_;
  int listener_;
  std::uint16_t port_;
  mutable std::mutex mutex_;
  std::string asked_for_;
  std::jthread thread_;
};

}  // namespace sistem::test
