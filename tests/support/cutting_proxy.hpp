#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <thread>

namespace sistem::test {

/// A TCP proxy before a broker that closes each connection in both directions after so many bytes, drawn anew each
/// time: a network at its worst. After `cuts` of them it lets a connection live.
class CuttingProxy {
 public:
  CuttingProxy(std::uint16_t broker_port, std::size_t least_bytes, std::size_t most_bytes, int cuts, unsigned seed);
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;
  ~CuttingProxy();

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  void serve(const std::stop_token& stop);
  void pass_on(int client, std::size_t bytes, const std::stop_token& stop) const;

  std::uint16_t broker_port_;
  std::uniform_int_distribution<std::size_t> bytes_;
  int cuts_;
  std::minstd_rand random_;
  int listener_;
  std::uint16_t port_;
  std::jthread thread_;
};

}  // namespace sistem::test
