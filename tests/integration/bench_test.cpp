// tests/bench/peers, which measures, and what tests/bench/compare makes of it. How fast anything is is not tested here.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/integration/tools.hpp"
#include "tests/support/temporary.hpp"

namespace sistem::test {
namespace {

const std::string tools = std::filesystem::path(PUB).parent_path();

/// A run of few messages, beside mosquitto's clients alone: which others are installed must not matter.
Result compared(const Arguments& arguments) {
  const Arguments always{"/tests/bench/peers", "--gauge", GAUGE, "--peers", "mosquitto", "--quick", "--rounds", "1"};
  Start start{.command = always + arguments, .environment = {}};
  start.command.front().insert(0, SOURCE_DIR);
  return run(start, "", std::chrono::minutes(2));
}

nlohmann::json read(const std::filesystem::path& file) { return nlohmann::json::parse(std::ifstream{file}); }

/// The figure of a row in a report.
nlohmann::json figure(const nlohmann::json& report, const std::string& row, const std::string& name) {
  for (const nlohmann::json& entry : report["figures"]) {
    if (entry["row"] == row && entry["figure"] == name) {
      return entry;
    }
  }
  ADD_FAILURE() << "no " << row << " " << name << " in " << report.dump(1);
  return {};
}

void make_program(const std::filesystem::path& file) {
  std::filesystem::permissions(file, std::filesystem::perms::owner_all);
}

TEST(BenchPeers, EveryRowOfTheWireAndOfMosquittoHasANumberForBoth) {
  NEEDS_MOSQUITTO();
  const TemporaryFolder folder;
  const std::string file = folder.path() / "report.json";
  const Result result = compared({"--bin", tools, "--messages", "200", "--limit", "30", "--json", file, "--only",
                                  "publish,receive,through-publish,through-receive,oneshot-qos1,subscribe-oneshot"});
  ASSERT_EQ(result.status, 0) << result.report;
  const nlohmann::json report = read(file);
  EXPECT_TRUE(report["failed"].empty()) << result.report;
  EXPECT_NE(report["clients"]["ours"]["version"].get<std::string>().find("pub " VERSION), std::string::npos);
  for (const std::string prefix : {"", "through-"}) {
    for (const std::string verb : {"publish-", "receive-"}) {
      for (const std::string qos : {"qos0", "qos1", "qos2", "1k-qos0", "1k-qos1", "1k-qos2"}) {
        for (const std::string name : {"rate", "cpu", "peak"}) {
          const nlohmann::json entry = figure(report, fmt::format("{}{}{}", prefix, verb, qos), name);
          const double ours = entry["clients"]["ours"]["median"];
          const double theirs = entry["clients"]["mosquitto"]["median"];
          EXPECT_GT(ours, 0) << entry.dump();
          EXPECT_DOUBLE_EQ(entry["ratios"]["mosquitto"], ours / theirs) << entry.dump();
          EXPECT_EQ(entry["clients"]["ours"]["messages"], 200);
        }
      }
    }
  }
  EXPECT_GT(figure(report, "receive-json", "rate")["clients"]["ours"]["median"], 0);
  EXPECT_GT(figure(report, "subscribe-oneshot", "start_median")["clients"]["ours"]["median"], 0);
  EXPECT_NE(result.out.find("Messages a second (messages/s; more is better)\n  publish-qos0 "), std::string::npos)
      << result.report;
  EXPECT_NE(result.out.find("One message, from start to exit (ms; less is better)\n  oneshot-qos1 median"),
            std::string::npos)
      << result.report;
}

TEST(BenchPeers, ALostMessageIsAnErrorAndNoNumber) {
  NEEDS_MOSQUITTO();
  const TemporaryFolder folder;
  make_program(folder.write(
      "pub", "#!/bin/sh\ncase $1 in --version) exec " PUB " --version ;; esac\nhead -n 199 | " PUB " \"$@\"\n"));
  make_program(folder.write("sub", "#!/bin/sh\nexec " SUB " \"$@\"\n"));
  const std::string file = folder.path() / "report.json";
  const Result result =
      compared({"--bin", folder.path(), "--messages", "200", "--json", file, "--only", "publish-qos1", "--markdown"});
  EXPECT_EQ(result.status, 1) << result.report;
  EXPECT_NE(result.out.find("failed: publish-qos1, ours: pub, sub: 199 of 200 messages came"), std::string::npos)
      << result.report;
  EXPECT_NE(result.out.find("| publish-qos1 | failed |"), std::string::npos) << result.report;
  const nlohmann::json entry = figure(read(file), "publish-qos1", "rate");
  EXPECT_FALSE(entry["clients"].contains("ours")) << entry.dump();
  EXPECT_GT(entry["clients"]["mosquitto"]["median"], 0) << entry.dump();
}

TEST(BenchPeers, BytesThatAreMissingAndLinesTooManyAreErrorsToo) {
  NEEDS_MOSQUITTO();
  const TemporaryFolder folder;
  make_program(folder.write("pub", "#!/bin/sh\ncut -c 2- | " PUB " \"$@\"\n"));
  // Three lines a message: however many have been read when it is ended, they are never ten.
  make_program(folder.write("sub", "#!/bin/sh\nexec " SUB " \"$@\" -F '%p\\n\\n'\n"));
  const Result result = compared({"--bin", folder.path(), "--messages", "10", "--only", "publish-qos0,receive-qos0"});
  EXPECT_EQ(result.status, 1) << result.report;
  EXPECT_NE(result.out.find("630 of 640 payload bytes came"), std::string::npos) << result.report;
  EXPECT_NE(result.out.find("of 10 lines came"), std::string::npos) << result.report;
}

TEST(BenchPeers, WhatIsWrongIsTold) {
  const std::pair<Arguments, std::string> table[] = {
      {{"--only", "publish-qos9"}, "--only: there is no row \"publish-qos9\""},
      {{"--peers", "hivemq"}, "--peers: expected some of"},
      {{"--rounds", "0"}, "--rounds"},
      {{"--container", "--bin", "."}, "--container builds its own"},
  };
  for (const auto& [arguments, complaint] : table) {
    const Result result = compared(arguments);
    EXPECT_EQ(result.status, 2) << result.report;
    EXPECT_NE(result.err.find(complaint), std::string::npos) << result.report;
  }
  const Result nothing = compared({"--bin", "/nonexistent"});
  EXPECT_EQ(nothing.status, 1);
  EXPECT_EQ(nothing.err, "tests/bench/peers: /nonexistent/pub is no program\n");
}

TEST(BenchPeers, AnotherBuildIsMeasuredBesideThisOne) {
  const Result result = compared(
      {"--bin", tools, "--beside", tools, "--peers", "", "--messages", "10", "--only", "publish-qos0", "--json", "-"});
  ASSERT_EQ(result.status, 0) << result.report;
  const nlohmann::json report = nlohmann::json::parse(result.out);
  EXPECT_EQ(report["clients"]["beside"]["label"], tools + "/pub, sub");
  EXPECT_FALSE(report["clients"].contains("mosquitto"));
  EXPECT_TRUE(figure(report, "publish-qos0", "rate")["ratios"].contains("beside")) << report.dump(1);
}

/// A report of tests/bench/peers with one figure as a multiple of mosquitto's and one that mosquitto has not.
std::string report_of(double rate, double peak) {
  const auto entry = [](const char* row, const char* name, const char* unit, bool more, double ours) {
    return nlohmann::json{{"row", row},
                          {"figure", name},
                          {"unit", unit},
                          {"more_is_better", more},
                          {"ratios", nlohmann::json::object()},
                          {"clients", {{"ours", {{"median", ours}}}}}};
  };
  nlohmann::json with_ratio = entry("publish-qos1", "rate", "messages/s", true, 1000 * rate);
  with_ratio["ratios"]["mosquitto"] = rate;
  return nlohmann::json{{"benchmark", "peers"},
                        {"figures", {with_ratio, entry("memory-x", "peak", "MiB", false, peak)}}}
      .dump();
}

TEST(CompareReports, PutsTwoRunsOfTheBenchmarkBesideEachOther) {
  const TemporaryFolder folder;
  const std::string before = folder.write("before.json", report_of(2, 10));
  const std::string after = folder.write("after.json", report_of(1, 15));
  const auto compare = [](const Arguments& arguments) {
    return run({.command = Arguments{SOURCE_DIR "/tests/bench/compare"} + arguments, .environment = {}});
  };
  const Result plain = compare({before, after});
  EXPECT_EQ(plain.status, 0) << plain.report;
  EXPECT_NE(plain.out.find("publish-qos1 rate                2             1     0.50"), std::string::npos)
      << plain.report;
  EXPECT_NE(plain.out.find("memory-x peak, MiB              10            15     1.50"), std::string::npos)
      << plain.report;
  const Result worse = compare({before, after, "--at-most", "1.6"});
  EXPECT_EQ(worse.status, 6) << worse.report;
  EXPECT_NE(worse.err.find("publish-qos1 rate is worse by 2.00"), std::string::npos) << worse.report;
  EXPECT_EQ(worse.err.find("memory-x"), std::string::npos) << worse.report;
  EXPECT_EQ(compare({after, before, "--at-most", "1"}).status, 0);
  const Result mixed = compare({before, folder.write("verify.json", R"({"received":9,"rate":1})")});
  EXPECT_EQ(mixed.status, 1) << mixed.report;
  EXPECT_NE(mixed.err.find("one is a report of tests/bench/peers"), std::string::npos) << mixed.report;
}

}  // namespace
}  // namespace sistem::test
