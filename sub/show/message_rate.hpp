#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "common/mqtt/message.hpp"
#include "common/text/wall_time.hpp"

namespace sistem {

/// --message-rate: how much comes, a line a second.
class MessageRate {
 public:
  explicit MessageRate(WallTime start) : last_(start) {}

  void take(const Message& message);

  /// Of all so far, and the rate since the last line. `waiting`: so many have come and were not taken yet.
  [[nodiscard]] std::string line(WallTime now, std::size_t waiting);

  /// As mosquitto_sub has it: nothing but the number of messages since the last line.
  [[nodiscard]] std::string bare_line(WallTime now);

  /// Whether any came since the last line.
  [[nodiscard]] bool has_news() const { return recent_ > 0; }

 private:
  WallTime last_;
  std::uint64_t messages_ = 0;
  std::uint64_t bytes_ = 0;   ///< of payloads
  std::uint64_t recent_ = 0;  ///< messages since the last line
};

}  // namespace sistem
