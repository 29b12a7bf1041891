#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "common/measure/histogram.hpp"

namespace sistem {

/// What became of the messages that a session took for publishing: what a report is made of. The session
/// writes it as things happen, and anybody may read it, from any thread.
class Deliveries {
 public:
  struct Sums {
    std::uint64_t taken = 0;                       ///< messages
    std::uint64_t bytes = 0;                       ///< of their payloads
    std::uint64_t acknowledged = 0;                ///< QoS 0: written
    std::uint64_t sent_again = 0;                  ///< on another connection
    std::map<std::string, std::uint64_t> refused;  ///< by reason: "not authorized (0x87)"
    std::string first_refusal;                     ///< as a sentence; empty: none was
    Histogram times;                               ///< from publish() to the acknowledgement
    std::chrono::nanoseconds waited{0};            ///< in publish(), for room among the unacknowledged
  };

  void take(std::size_t bytes) {
    const std::scoped_lock lock(mutex_);
    ++sums_.taken;
    sums_.bytes += bytes;
  }
  void acknowledge(std::chrono::nanoseconds after) {
    const std::scoped_lock lock(mutex_);
    ++sums_.acknowledged;
    sums_.times.record(after);
  }
  void refuse(const std::string& reason, const std::string& sentence) {
    const std::scoped_lock lock(mutex_);
    if (sums_.refused.empty()) {
      sums_.first_refusal = sentence;
    }
    ++sums_.refused[reason];
  }
  void send_again() {
    const std::scoped_lock lock(mutex_);
    ++sums_.sent_again;
  }
  void wait(std::chrono::nanoseconds time) {
    const std::scoped_lock lock(mutex_);
    sums_.waited += time;
  }
  [[nodiscard]] Sums sums() const {
    const std::scoped_lock lock(mutex_);
    return sums_;
  }
  [[nodiscard]] std::chrono::nanoseconds waited() const {
    const std::scoped_lock lock(mutex_);
    return sums_.waited;
  }

 private:
  mutable std::mutex mutex_;
  Sums sums_;
};

}  // namespace sistem
