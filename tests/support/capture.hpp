#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/process.hpp"

namespace sistem::test {

/// What a command printed that must succeed, line by line. Throws std::runtime_error with its report where it does not.
[[nodiscard]] std::vector<std::string> lines_of_output(const Start& start, std::chrono::milliseconds limit = patience);

/// What a pcap file holds, as tshark reads it, which must be installed.
class Capture {
 public:
  /// `port` is where MQTT is spoken; `options` are further ones of tshark's.
  explicit Capture(std::filesystem::path file, int port = 1883, std::vector<std::string> options = {});

  /// The values of one field in the packets that a display filter lets through, a line for each packet.
  [[nodiscard]] std::vector<std::string> values(const std::string& filter, const std::string& field) const;
  /// Those of several fields, a row for each packet: tshark takes its time to start.
  [[nodiscard]] std::vector<std::vector<std::string>> rows(const std::string& filter,
                                                           const std::vector<std::string>& fields) const;
  [[nodiscard]] std::vector<std::uint64_t> numbers(const std::string& filter, const std::string& field) const;

 private:
  std::vector<std::string> command_;
};

}  // namespace sistem::test
