#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace sistem::test {

/// A SOCKS5 proxy on the loopback that takes every name for 127.0.0.1. One client at a time.
class SocksProxy {
 public:
  struct Manner {
    std::string username;  ///< empty: everybody may come
    std::string password;
    unsigned char reply = 0;  ///< to CONNECT; anything but 0 is a refusal
    std::string greeting;     ///< said instead of all that, where it is not empty
  };

  SocksProxy() : SocksProxy(Manner{}) {}
  explicit SocksProxy(Manner manner);
  SocksProxy(const SocksProxy&) = delete;
  SocksProxy& operator=(const SocksProxy&) = delete;
  ~SocksProxy();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// What the last client asked to be connected to: "name broker.example", "IPv4 127.0.0.1", "IPv6 ::1".
  [[nodiscard]] std::string asked_for() const;

 private:
  void serve(const std::stop_token& stop);
  /// The port to connect the client to; 0 where it is turned away.
  std::uint16_t receive_request(int client);

  Manner manner_;
  int listener_;
  std::uint16_t port_;
  mutable std::mutex mutex_;
  std::string asked_for_;
  std::jthread thread_;
};

}  // namespace sistem::test
