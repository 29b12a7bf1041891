#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <utility>

#include "common/stop.hpp"

namespace sistem {

/// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

/// A TCP connection that stands: non-blocking, without Nagle's delay.
struct Dialed {
  Descriptor socket;
  std::string address;  ///< the numeric address that answered
};

/// Resolves `host` and tries every one of its addresses in the resolver's order until one accepts.
/// Throws Error (no_broker) whose sentence names what was tried and why each attempt failed, also where `timeout` is
/// over or a stop is requested first.
///
/// We dial and Paho speaks: Paho would try one address only, notice the connection up to 10 ms late, and call
/// whatever goes wrong "TCP/TLS connect failure".
[[nodiscard]] Dialed dial(const std::string& host, std::uint16_t port, std::chrono::seconds timeout,
                          const std::stop_token& stop);

}  // namespace sistem
