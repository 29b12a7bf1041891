#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "tests/integration/tools.hpp"
#include "tests/support/capture.hpp"
#include "tests/support/recorder.hpp"

namespace sistem::test {

/// What compose/explain said of a capture on stdout, a finding a line.
class Findings {
 public:
  explicit Findings(const std::string& out) {
    std::istringstream stream(out);
    for (std::string line; std::getline(stream, line);) {
      lines_.push_back(line);
    }
  }

  /// A line of this kind that has these words. The frames in them are asked of tshark by the test.
  void expect(const std::string& words) const { expect("  ", words); }
  /// The same of something that went wrong.
  void expect_wrong(const std::string& words) const { expect("! ", words); }

  [[nodiscard]] std::vector<std::string> wrong() const {
    std::vector<std::string> result;
    std::copy_if(lines_.begin(), lines_.end(), std::back_inserter(result),
                 [](const std::string& line) { return line.starts_with("! "); });
    return result;
  }
  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }

 private:
  void expect(const std::string& mark, const std::string& words) const {
    const bool there = std::any_of(lines_.begin(), lines_.end(), [&](const std::string& line) {
      return line.starts_with(mark) && line.find(words) != std::string::npos;
    });
    EXPECT_TRUE(there) << "missing: " << mark << words << "\nin:\n" << fmt::format("{}", fmt::join(lines_, "\n"));
  }

  std::vector<std::string> lines_;
};

/// Tests that record what the tools say and have it explained. What they made stays in the build folder's `explained`,
/// for who wants to look.
class Explained : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_MOSQUITTO();
    NEEDS_RECORDER();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }

  void record(const std::vector<std::uint16_t>& ports) { recorder_ = std::make_unique<Recorder>(file_, ports); }
  void record(const Broker& broker) { record(std::vector<std::uint16_t>{broker.port()}); }
  void stop_recording() { recorder_->stop(); }

  /// Starts the program on a capture.
  [[nodiscard]] Result explain(const std::string& file, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"/usr/bin/python3", SOURCE_DIR "/compose/explain", file, "--output", folder_});
    return run({.command = std::move(arguments), .environment = {}, .directory = {}});
  }
  [[nodiscard]] Findings findings_of(const std::string& file, std::uint16_t port,
                                     std::vector<std::string> arguments = {}) const {
    arguments.insert(arguments.begin(), {"--port", std::to_string(port)});
    const Result result = explain(file, std::move(arguments));
    EXPECT_EQ(result.status, 0) << result.report;
    return Findings{result.out};
  }
  /// What is found in what was recorded.
  [[nodiscard]] Findings findings(std::uint16_t port, std::vector<std::string> arguments = {}) const {
    return findings_of(file_, port, std::move(arguments));
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(BINARY_DIR) / "explained" / testing::UnitTest::GetInstance()->current_test_info()->name();
  const std::string file_ = folder_ / "capture.pcap";

 private:
  std::unique_ptr<Recorder> recorder_;
};

}  // namespace sistem::test
