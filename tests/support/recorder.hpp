#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/process.hpp"

namespace sistem::test {

/// Whether the loopback can be recorded and read here: by root, with tcpdump and tshark. In CI root must have both.
[[nodiscard]] bool can_record();

/// At the start of each test that records.
#define NEEDS_RECORDER()                                                     \
  if (!::sistem::test::can_record()) {                                       \
    GTEST_SKIP() << "recording the loopback needs root, tcpdump and tshark"; \
  }

/// tcpdump on the loopback, from the constructor's return on.
class Recorder {
 public:
  Recorder(std::filesystem::path file, const std::vector<std::uint16_t>& ports);
  /// Ends it when all that went over the loopback until now is in the file, and one UDP datagram behind it.
  void stop();

 private:
  std::filesystem::path file_;
  std::uint16_t mark_port_;
  Process tcpdump_;
};

}  // namespace sistem::test
