#pragma once

#include <sys/types.h>

#include <cstdint>

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

  /// Joins this network, as 192.0.2.1, by a cable with ends `cable0` here and `cable1` there, to that of a process,
  /// which becomes 192.0.2.2.
  void join(pid_t other) const;

  /// Of the TCP packets to a port that carry more than a few bytes, the one with this number, from 0, gets lost, on its
  /// way up: a recorder has seen it.
  void lose(std::uint16_t port, int number) const;

 private:
  int before_;
};

}  // namespace sistem::test
