#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "tests/support/loopback.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temporary.hpp"

namespace sistem::test {

/// Whether Mosquitto is installed. Where it is not, tests of the real broker are skipped, but in CI (the variable CI
/// is set) they fail instead.
[[nodiscard]] bool has_mosquitto();

/// At the start of each test that needs a broker.
#define NEEDS_MOSQUITTO()                                                 \
  if (!::sistem::test::has_mosquitto()) {                                 \
    GTEST_SKIP() << "mosquitto is not installed (tests/run installs it)"; \
  }

/// A real Mosquitto on a free loopback port, ready when the constructor returns and gone with the object.
class Broker {
 public:
  /// `settings` are further lines of mosquitto.conf; without any, everybody may do everything.
  explicit Broker(const std::string& settings = "allow_anonymous true\n");

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// Ends it; with SIGKILL, as a crash would.
  void stop(int signal = 15);
  /// Starts it again on the same port.
  void start();
  /// What it has logged: connections, disconnections, publishes.
  [[nodiscard]] std::string log() const;
  /// Waits until its log holds `text`.
  void wait_for_log(const std::string& text) const;

 private:
  bool try_to_start();
  [[nodiscard]] std::filesystem::path log_file() const;
  [[nodiscard]] bool logged(const std::string& text, const std::function<bool()>& worth_waiting) const;

  TemporaryFolder folder_;
  std::string settings_;
  std::uint16_t port_;
  std::unique_ptr<Process> process_;
};

}  // namespace sistem::test
