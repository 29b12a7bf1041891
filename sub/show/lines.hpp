#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "common/mqtt/message.hpp"
#include "common/text/wall_time.hpp"
#include "sub/show/terminal.hpp"

namespace sistem {

/// How a message is printed for a person at a terminal: one line with the time of its arrival, its topic, a mark where
/// it was retained, and its payload. What would act on the terminal is spelled out. Topics stand in a column that grows
/// with the widest, so that payloads stand in one too.
class TerminalLines {
 public:
  explicit TerminalLines(Paint paint) : paint_(paint) {}

  void append(const Message& message, std::string& out);

 private:
  Paint paint_;
  std::size_t topic_columns_ = 0;
};

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
