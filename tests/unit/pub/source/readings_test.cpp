#include "pub/source/readings.hpp"

#include <gtest/gtest.h>

#include <map>

#include "tests/support/temporary.hpp"

namespace sistem {
namespace {

using namespace std::chrono_literals;
using test::TemporaryFolder;

std::map<std::string, std::string> by_name(const std::vector<Reading>& readings) {
  std::map<std::string, std::string> texts;
  for (const Reading& reading : readings) {
    texts[reading.name] = reading.text();
  }
  return texts;
}

/// A host of the test's own.
class MadeHost : public testing::Test {
 protected:
  MadeHost() {
    write("proc/stat", "cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n");
    write("proc/meminfo", "MemTotal:       16000 kB\nMemFree:         1000 kB\nMemAvailable:   12000 kB\n");
    write("proc/loadavg", "0.52 0.58 0.59 1/123 4567\n");
    write("proc/uptime", "93784.42 180000.00\n");
    write("proc/net/dev", net_dev(1000, 500));
    write("sys/class/thermal/thermal_zone0/temp", "28049\n");
  }
  void write(const std::string& name, const std::string& content) { root_.write(name, content); }
  static std::string net_dev(int in, int out) {
    return "Inter-|   Receive                                                |  Transmit\n"
           " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets\n"
           "    lo: 99999 1 0 0 0 0 0 0 99999 1 0 0 0 0 0 0\n"
           "  eth0:" +
           std::to_string(in) + " 1 0 0 0 0 0 0 " + std::to_string(out) +
           " 1 0 0 0 0 0 0\n"
           " wlan0: 7 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0\n";
  }
  std::map<std::string, std::string> measure(Readings::Clock::time_point at) { return by_name(readings_.measure(at)); }

  TemporaryFolder root_;
  Readings readings_{root_.path()};
  Readings::Clock::time_point start_ = Readings::Clock::now();
};

TEST_F(MadeHost, ReadsWhatAPersonCanRead) {
  const auto texts = measure(start_);
  EXPECT_EQ(texts.at("memori"), "25.0 %");
  EXPECT_EQ(texts.at("beban"), "0.52 0.58 0.59");
  EXPECT_EQ(texts.at("uptime"), "93784 s");
  EXPECT_EQ(texts.at("suhu"), "28.0 °C");
  EXPECT_TRUE(texts.at("disk").ends_with(" %"));
}

TEST_F(MadeHost, NumbersStandWithoutTheirUnit) {
  measure(start_);
  for (const Reading& reading : readings_.measure(start_ + 1s)) {
    if (reading.name == "beban") {
      EXPECT_EQ(reading.numbers(), "0.52 0.58 0.59");
    } else if (reading.name == "suhu") {
      EXPECT_EQ(reading.numbers(), "28.0");
    } else if (reading.name == "jaringan") {
      EXPECT_EQ(reading.numbers(), "0 0");
      EXPECT_EQ(reading.quantities.front().name, "in");
      EXPECT_EQ(reading.unit, "B/s");
    }
  }
}

TEST_F(MadeHost, EachReadingHasANameOfTheList) {
  measure(start_);
  write("proc/stat", "cpu  125 0 100 760 115 0 0 0 0 0\n");
  std::vector<std::string> names;
  for (const Reading& reading : readings_.measure(start_ + 1s)) {
    names.push_back(reading.name);
  }
  EXPECT_EQ(names, reading_names());
}

TEST_F(MadeHost, CpuAndNetworkAreDifferencesAndMissingTheFirstTime) {
  auto texts = measure(start_);
  EXPECT_FALSE(texts.contains("cpu"));
  EXPECT_FALSE(texts.contains("jaringan"));
  write("proc/stat", "cpu  125 0 100 760 115 0 0 0 0 0\n");  // 25 busy of 100
  write("proc/net/dev", net_dev(3000, 600));
  texts = measure(start_ + 2s);
  EXPECT_EQ(texts.at("cpu"), "25.0 %");
  EXPECT_EQ(texts.at("jaringan"), "1000 B/s in, 50 B/s out");
}

TEST_F(MadeHost, CountersThatStartAgainAreNoNegativeRates) {
  measure(start_);
  write("proc/net/dev", net_dev(10, 5));
  EXPECT_EQ(measure(start_ + 1s).at("jaringan"), "0 B/s in, 0 B/s out");
}

TEST_F(MadeHost, WhatTheHostDoesNotHaveIsLeftOut) {
  std::filesystem::remove_all(root_.path() / "proc");
  std::filesystem::remove_all(root_.path() / "sys");
  const auto texts = measure(start_);
  EXPECT_EQ(texts.size(), 1U);  // the file system is there
  EXPECT_TRUE(texts.contains("disk"));
}

TEST_F(MadeHost, FilesThatMakeNoSenseAreLeftOut) {
  for (const char* file : {"proc/stat", "proc/meminfo", "proc/loadavg", "proc/uptime", "proc/net/dev",
                           "sys/class/thermal/thermal_zone0/temp"}) {
    write(file, "nonsense: here\n");
  }
  measure(start_);
  EXPECT_EQ(measure(start_ + 1s).size(), 1U);
}

TEST_F(MadeHost, ASensorElsewhereIsFound) {
  std::filesystem::remove_all(root_.path() / "sys/class/thermal");
  write("sys/class/hwmon/hwmon0/name", "fan without a temperature");
  write("sys/class/hwmon/hwmon1/temp1_input", "-5500\n");
  EXPECT_EQ(measure(start_).at("suhu"), "-5.5 °C");
}

TEST_F(MadeHost, OnlyTheLoopbackIsNoNetwork) {
  write("proc/net/dev", "    lo: 99999 1 0 0 0 0 0 0 99999 1 0 0 0 0 0 0\n");
  measure(start_);
  EXPECT_FALSE(measure(start_ + 1s).contains("jaringan"));
}

TEST(Readings, OfThisVeryHostHaveAtLeastFourTopics) {
  Readings readings;
  EXPECT_GE(readings.measure(Readings::Clock::now()).size(), 4U);
}

}  // namespace
}  // namespace sistem
