#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/process.hpp"

// What the container tests have in common: commands as a person types them at the root of the source tree.
namespace sistem::test {

using Words = std::vector<std::string>;

// Generous, as every limit of these tests: only a failing test waits that long.
inline constexpr std::chrono::minutes building{14};
inline constexpr std::chrono::minutes containers_patience{2};

inline Words operator+(Words left, const Words& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

/// A command as a person types it at the root of the source tree, or in another folder.
inline Start typed(Words command, const std::string& directory = SOURCE_DIR) {
  Start start;
  start.command = std::move(command);
  start.keep_environment = true;  // DOCKER_HOST and the like
  start.directory = directory;
  return start;
}

inline Start compose(const Words& words) { return typed(Words{"docker", "compose", "-f", "compose/mqtt.yml"} + words); }

inline Start exec(const std::string& service, const Words& command) {
  return compose(Words{"exec", "-T", service} + command);
}

/// Runs a command that must succeed; what it printed.
inline std::string must(const Start& start, std::chrono::milliseconds limit = containers_patience) {
  const Result result = run(start, "", limit);
  if (result.status != 0) {
    throw std::runtime_error(result.report);
  }
  return result.out;
}

inline std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream stream{text};
  for (std::string line; std::getline(stream, line);) {
    result.push_back(line);
  }
  return result;
}

inline std::string content(const std::filesystem::path& file) {
  std::ifstream stream{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

}  // namespace sistem::test
