#pragma once

#include <cstddef>
#include <string>

#include "common/mqtt/message.hpp"
#include "sub/show/colour.hpp"

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

}  // namespace sistem
