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
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/integration/tools.hpp"
#include "tests/support/capture.hpp"
#include "tests/support/recorder.hpp"

namespace sistem::test {

/// What compose/analyze said of a capture on stdout, a finding a line.
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

  /// There is no line with these words.
  void expect_none(const std::string& words) const {
    for (const std::string& line : lines_) {
      EXPECT_EQ(line.find(words), std::string::npos) << line;
    }
  }

  /// What went wrong, but for what TCP repeats: where the machine is busy it may do so without a loss.
  [[nodiscard]] std::vector<std::string> wrong() const {
    std::vector<std::string> result;
    std::copy_if(lines_.begin(), lines_.end(), std::back_inserter(result), [](const std::string& line) {
      return line.starts_with("! ") && line.find("TCP retransmission") == std::string::npos &&
             line.find("duplicate ACKs") == std::string::npos;
    });
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

/// A frame of TCP, as tshark reads it: what a finding about it must agree with.
struct Seen {
  std::uint64_t number;
  int stream;  ///< of TCP, from 0 in the order of their first frames
  bool to_broker;
  std::uint64_t begin;  ///< of its bytes in the stream
  std::uint64_t size;   ///< how many there are
  std::string flags;    ///< "S" SYN, "A" ACK, "F" FIN, "R" RST
  std::uint64_t acks;   ///< the frame for whose bytes it is the first ACK; 0: for none
  double ack_time;      ///< how long that took, in seconds
  bool again;           ///< bytes that come late: a retransmission, or what tshark calls out of order
  bool out_of_order;    ///< it does so where little time has passed
  bool duplicate_ack;
  std::vector<int> types;  ///< of its packets of MQTT
  std::string qos;
  std::string topic;

  [[nodiscard]] bool has(int type) const { return std::find(types.begin(), types.end(), type) != types.end(); }
  [[nodiscard]] bool has(char flag) const { return flags.find(flag) != std::string::npos; }
};

/// All frames of a capture, read at once.
class Wire {
 public:
  Wire(const std::string& file, std::uint16_t port, const std::vector<std::string>& options = {}) {
    const Capture capture{file, port, options};
    const auto number = [](const std::string& text) { return text.empty() ? 0 : std::stoull(text); };
    for (const auto& row :
         capture.rows("tcp", {"frame.number", "tcp.stream", "tcp.dstport", "tcp.seq", "tcp.len", "tcp.flags.str",
                              "tcp.analysis.acks_frame", "tcp.analysis.ack_rtt", "tcp.analysis.retransmission",
                              "tcp.analysis.out_of_order", "tcp.analysis.duplicate_ack", "mqtt.msgtype", "mqtt.qos",
                              "mqtt.topic"})) {
      Seen& seen = frames_.emplace_back(Seen{.number = number(row.at(0)),
                                             .stream = std::stoi(row.at(1)),
                                             .to_broker = row.at(2) == std::to_string(port),
                                             .begin = number(row.at(3)),
                                             .size = number(row.at(4)),
                                             .flags = row.at(5),
                                             .acks = number(row.at(6)),
                                             .ack_time = row.at(7).empty() ? 0 : std::stod(row.at(7)),
                                             .again = !row.at(8).empty() || !row.at(9).empty(),
                                             .out_of_order = !row.at(9).empty(),
                                             .duplicate_ack = !row.at(10).empty(),
                                             .types = {},
                                             .qos = row.at(12),
                                             .topic = row.at(13)});
      std::istringstream types(row.at(11));
      for (std::string type; std::getline(types, type, ',');) {
        seen.types.push_back(std::stoi(type));
      }
    }
  }

  template <class Which>
  [[nodiscard]] std::vector<Seen> all(const Which& which) const {
    std::vector<Seen> result;
    std::copy_if(frames_.begin(), frames_.end(), std::back_inserter(result), which);
    return result;
  }
  /// The first of these; a test without one fails.
  template <class Which>
  [[nodiscard]] Seen first(const Which& which) const {
    const std::vector<Seen> found = all(which);
    if (found.empty()) {
      throw std::runtime_error("the capture lacks a frame that the test is about");
    }
    return found.front();
  }
  /// The number of the first frame with a packet of MQTT of this type, in one connection or in all.
  [[nodiscard]] std::uint64_t packet(int type, int stream = -1) const {
    return first([=](const Seen& seen) { return seen.has(type) && (stream < 0 || seen.stream == stream); }).number;
  }
  /// The same of a PUBLISH of this QoS.
  [[nodiscard]] std::uint64_t publish(int qos, int stream) const {
    return first([=](const Seen& seen) {
             return seen.has(3) && seen.stream == stream && seen.qos == std::to_string(qos);
           })
        .number;
  }
  /// The number of the first frame that closes a connection.
  [[nodiscard]] std::uint64_t fin(int stream) const {
    return first([=](const Seen& seen) { return seen.has('F') && seen.stream == stream; }).number;
  }
  /// The same of the broker's.
  [[nodiscard]] std::uint64_t fin_of_broker(int stream) const {
    return first([=](const Seen& seen) { return seen.has('F') && seen.stream == stream && !seen.to_broker; }).number;
  }

 private:
  std::vector<Seen> frames_;
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

  void record(const std::vector<std::uint16_t>& ports, Recorder::Place place = {}) {
    recorder_ = std::make_unique<Recorder>(file_, ports, std::move(place));
  }
  void record(const Broker& broker) { record(std::vector<std::uint16_t>{broker.port()}); }
  void stop_recording() { recorder_->stop(); }

  /// Starts the program on a capture.
  [[nodiscard]] Result explain(const std::string& file, std::vector<std::string> arguments) const {
    const std::string program = SOURCE_DIR "/compose/analyze";
    arguments.insert(arguments.begin(), {program, file, "--native", "--output", folder_});
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

  /// The row of a frame in the table of report.md.
  [[nodiscard]] std::string row(std::uint64_t frame) const {
    std::ifstream report(folder_ / "report.md");
    for (std::string line; std::getline(report, line);) {
      if (line.starts_with(fmt::format("| {} | 0.", frame)) || line.starts_with(fmt::format("| {} | 1.", frame))) {
        return line;
      }
    }
    return {};
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(BINARY_DIR) / "explained" / testing::UnitTest::GetInstance()->current_test_info()->name();
  const std::string file_ = folder_ / "capture.pcap";

 private:
  std::unique_ptr<Recorder> recorder_;
};

}  // namespace sistem::test
