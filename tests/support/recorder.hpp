#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
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

/// tcpdump on an interface, from the constructor's return on.
class Recorder {
 public:
  /// Where is recorded, and an address that packets reach by that way.
  struct Place {
    std::string interface = "lo";
    std::string address = "127.0.0.1";
  };
  /// What goes to and from these TCP ports, and ARP.
  Recorder(std::filesystem::path file, const std::vector<std::uint16_t>& ports, Place place);
  Recorder(std::filesystem::path file, const std::vector<std::uint16_t>& ports)
      : Recorder(std::move(file), ports, {}) {}
  /// Ends it when all that went that way until now is in the file, and one UDP datagram behind it.
  void stop();

 private:
  std::filesystem::path file_;
  Place place_;
  std::uint16_t mark_port_;
  Process tcpdump_;
};

}  // namespace sistem::test
