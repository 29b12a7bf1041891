#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "common/process/one_cpu.hpp"

namespace sistem {

/// Keeps the process on one CPU while messages come faster than a broker on this machine could send them, and are
/// written as fast: then it is not the second CPU that limits, but that two threads meet at each message. With a broker
/// beside us, or more work for each message, two CPUs are better.
class Flood {
 public:
  /// So many have come since the last call.
  void hear(std::size_t messages) {
    const auto now = std::chrono::steady_clock::now();
    if (count_ == 0) {
      since_ = now;  // the time before the first says nothing
    }
    count_ += messages;
    const std::chrono::duration<double> time = now - since_;
    if (time.count() < 1 && (on_one_cpu_ || count_ < enough)) {
      return;
    }
    const double a_second = static_cast<double>(count_) / time.count();
    if (a_second > begins && !on_one_cpu_) {
      on_one_cpu_.emplace();
    } else if (a_second < begins / 2) {
      on_one_cpu_.reset();
    }
    count_ = 0;
  }

 private:
  static constexpr std::size_t enough = 4096;  ///< messages to tell a flood from a crowd
  static constexpr double begins = 200'000;    ///< a flood does with so many messages a second
  std::size_t count_ = 0;
  std::chrono::steady_clock::time_point since_;
  std::optional<OneCpu> on_one_cpu_;
};

}  // namespace sistem
