#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

namespace sistem::test {

/// What becomes of a PUBLISH on its way.
enum class Fault {
  none,
  dropped,
  doubled,
  damaged,    ///< its last byte is another one
  overtaken,  ///< it comes after the next one that is not
  delayed     ///< it and all that is behind it wait for 200 ms
};

/// A TCP proxy before a broker, for one connection, that does to each PUBLISH which the broker sends what the test says
/// of its number, from 1. Everything else passes as it is.
class FaultyProxy {
 public:
  FaultyProxy(std::uint16_t broker_port, std::function<Fault(std::size_t)> fault_of);
  FaultyProxy(const FaultyProxy&) = delete;
  FaultyProxy& operator=(const FaultyProxy&) = delete;
  ~FaultyProxy();

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  void serve(const std::stop_token& stop);
  /// What is to be sent on now of the bytes that have come; what is left of `bytes` is not a whole packet yet.
  std::string packets_of(std::string& bytes);

  std::uint16_t broker_port_;
  std::function<Fault(std::size_t)> fault_of_;
  std::size_t number_ = 0;  ///< of the last PUBLISH
  std::string overtaken_;   ///< packets
  int listener_;
  std::uint16_t port_;
  std::jthread thread_;
};

}  // namespace sistem::test
