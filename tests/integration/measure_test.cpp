// compose/measure, which runs both tools, and tests/bench/compare, which reads what comes of it.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "tests/integration/tools.hpp"
#include "tests/support/temporary.hpp"

namespace sistem::test {
namespace {

Result measured(const Arguments& arguments) {
  const std::string tools = std::filesystem::path(PUB).parent_path();
  return run({.command = Arguments{SOURCE_DIR "/compose/measure", "--bin", tools} + arguments, .environment = {}}, "",
             std::chrono::minutes(1));
}

std::string read(const std::filesystem::path& file) {
  std::ifstream stream{file};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

TEST(Measure, ReportsOnARunAgainstABrokerOfItsOwn) {
  NEEDS_MOSQUITTO();
  const Result run = measured({"--rate", "200", "--seconds", "1", "--max-loss", "0", "--report", "json"});
  ASSERT_EQ(run.status, 0) << run.report;
  const auto report = nlohmann::json::parse(run.out);
  EXPECT_GT(report["received"], 0) << run.report;
  EXPECT_EQ(report["received"], report["sent"]) << run.report;
  EXPECT_EQ(report["bytes"], 64 * report["received"].get<int>()) << run.report;
  EXPECT_FALSE(report["runs"][0]["clock_ahead_ms"].is_null()) << run.report;
}

TEST(Measure, SweepsAgainstAGivenBrokerAndKeepsWhatComesOfIt) {
  NEEDS_MOSQUITTO();
  const Broker broker;
  const TemporaryFolder folder;
  const std::filesystem::path kept = folder.path() / "kept";
  const Result run =
      measured({"--host", "127.0.0.1", "--port", std::to_string(broker.port()), "--rate", "100", "--seconds", "0.3",
                "--protocol-version", "311", "--sweep", "qos=0,2", "clients=1,2", "--output", kept});
  ASSERT_EQ(run.status, 0) << run.report;
  EXPECT_EQ(std::count(run.out.begin(), run.out.end(), '\n'), 5) << run.report;
  EXPECT_EQ(read(kept / "table.txt"), run.out);
  for (int number = 1; number <= 4; ++number) {
    const auto report = nlohmann::json::parse(read(kept / ("run-" + std::to_string(number) + ".json")));
    EXPECT_EQ(report["publishers"], number % 2 == 0 ? 2 : 1);
    EXPECT_EQ(report["lost"], 0);
  }
  EXPECT_NE(read(kept / "latency.svg").find("qos 2, size 64, clients 2"), std::string::npos);
}

TEST(Measure, ABudgetThatIsNotKeptIsStatus6) {
  NEEDS_MOSQUITTO();
  const Result run = measured({"--rate", "100", "--seconds", "0.3", "--max-p99", "1us"});
  EXPECT_EQ(run.status, 6) << run.report;
  EXPECT_NE(run.out.find("verdict          broken: p99 is "), std::string::npos) << run.report;
}

TEST(Measure, WhatIsWrongIsTold) {
  const std::pair<Arguments, std::string> table[] = {
      {{"--frobnicate"}, "--frobnicate"},
      {{"--rate", "0"}, "--rate"},
      {{"--rate", "fast"}, "--rate"},
      {{"--qos", "3"}, "--qos"},
      {{"--sweep", "colour=red"}, "--sweep: expected NAME=A,B"},
      {{"--sweep", "qos=a"}, "--sweep: expected numbers, got \"qos=a\""},
  };
  for (const auto& [arguments, complaint] : table) {
    const Result run = measured(arguments);
    EXPECT_EQ(run.status, 2) << run.report;
    EXPECT_EQ(run.err.find("compose/measure: "), 0U) << run.report;
    EXPECT_NE(run.err.find(complaint), std::string::npos) << run.report;
  }
  const Result nobody = measured({"--host", "127.0.0.1", "--port", "1", "--seconds", "1"});
  EXPECT_EQ(nobody.status, 1) << nobody.report;
  EXPECT_NE(nobody.err.find("connection refused"), std::string::npos) << nobody.report;
}

TEST(CompareReports, PutsRatiosBesideEachOtherAndFailsPastAGivenOne) {
  const TemporaryFolder folder;
  const std::string before =
      folder.write("before.json", R"({"received":9,"rate":1000,"lost":0,"latency_ms":{"p99":2}})");
  const std::string after = folder.write("after.json", R"({"received":9,"rate":800,"lost":0,"latency_ms":{"p99":3}})");
  const auto compared = [](const Arguments& arguments) {
    return run({.command = Arguments{SOURCE_DIR "/tests/bench/compare"} + arguments, .environment = {}});
  };
  const Result plain = compared({before, after});
  EXPECT_EQ(plain.status, 0) << plain.report;
  EXPECT_NE(plain.out.find("p99 ms                         2             3     1.50"), std::string::npos)
      << plain.report;
  EXPECT_NE(plain.out.find("rate                        1000           800     0.80"), std::string::npos)
      << plain.report;
  EXPECT_EQ(compared({before, after, "--at-most", "1.5"}).status, 0);
  const Result worse = compared({before, after, "--at-most", "1.2"});
  EXPECT_EQ(worse.status, 6) << worse.report;
  EXPECT_NE(worse.err.find("rate is worse by 1.25"), std::string::npos) << worse.report;
  EXPECT_NE(worse.err.find("p99 ms is worse by 1.50"), std::string::npos) << worse.report;
  EXPECT_EQ(compared({after, before, "--at-most", "1.2"}).status, 0) << "better is never too much";
  EXPECT_EQ(compared({before}).status, 2);
  EXPECT_EQ(compared({before, after, "--at-most", "0.5"}).status, 2);
  EXPECT_EQ(compared({before, folder.path() / "none.json"}).status, 1);
  EXPECT_EQ(compared({before, folder.write("other.json", "{}")}).status, 1);
}

}  // namespace
}  // namespace sistem::test
