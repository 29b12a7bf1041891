#pragma once

#include <cstdint>
#include <string>

namespace sistem::test {

/// A network of this thread's own, and of all that it starts, while this lives: a loopback on which nobody else speaks.
/// Needs root with the right to make one, iproute2 and iptables.
class OwnNetwork {
 public:
  OwnNetwork();
  OwnNetwork(const OwnNetwork&) = delete;
  OwnNetwork& operator=(const OwnNetwork&) = delete;
  ~OwnNetwork();

  /// Whether this process may have one.
  [[nodiscard]] static bool possible();

  /// Of the TCP packets to a port, numbered from 0, the one with this number gets lost, and then each `every`th. With
  /// "INPUT" as chain after a recorder has seen it, with "OUTPUT" before.
  void lose(std::uint16_t port, int number, int every, const std::string& chain) const;

 private:
  int before_;
};

}  // namespace sistem::test
