#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/broker.hpp"
#include "tests/support/process.hpp"

namespace sistem::test {

using Arguments = std::vector<std::string>;

/// Where an executable is that was built with the tests; if TOOLS names a folder, the one of that name there.
inline std::string tried(const std::filesystem::path& built) {
  const char* const others = std::getenv("TOOLS");
  return others != nullptr ? (others / built.filename()).string() : built.string();
}

/// Whether the tools that are tried were built with a sanitizer: they then take more memory, and map much more.
inline bool are_sanitized() {
  std::ifstream file(tried(PUB), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  return bytes.find("__asan_init") != std::string::npos || bytes.find("__tsan_init") != std::string::npos;
}

/// How the tools are started against a broker: by their environment, as in the containers.
inline Start tool(const char* executable, std::uint16_t port, Arguments arguments) {
  arguments.insert(arguments.begin(), tried(executable));
  return {.command = std::move(arguments),
          .environment = {{"MQTT_HOST", "127.0.0.1"}, {"MQTT_PORT", std::to_string(port)}}};
}
inline Start pub(const Broker& broker, Arguments arguments) { return tool(PUB, broker.port(), std::move(arguments)); }
inline Start sub(const Broker& broker, Arguments arguments) { return tool(SUB, broker.port(), std::move(arguments)); }

/// A sub that is ready for messages.
inline std::unique_ptr<Process> subscribed(const Broker& broker, const Arguments& arguments) {
  auto process = std::make_unique<Process>(sub(broker, arguments));
  process->wait_for_stderr("subscribed to");
  return process;
}

inline void expect_success(const Result& result) { EXPECT_EQ(result.status, 0) << result.report; }

inline Arguments operator+(Arguments left, const Arguments& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

/// Lines that say which they are.
inline std::string numbered(int lines) {
  std::string all;
  for (int line = 1; line <= lines; ++line) {
    all += std::to_string(line) + "\n";
  }
  return all;
}

}  // namespace sistem::test
