#include "pub/report.hpp"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

namespace sistem {
namespace {

using namespace std::chrono_literals;

Report example() {
  Report report;
  report.deliveries.taken = 1000;
  report.not_sent = 4;
  report.deliveries.bytes = 5000;
  report.time = 10.25s;
  report.rate_asked = 100;
  report.rate_achieved = 99.5;
  report.deliveries.acknowledged = 990;
  report.deliveries.sent_again = 3;
  report.deliveries.refused = {{"not authorized (0x87)", 7}, {"quota exceeded (0x97)", 2}};
  for (int message = 1; message <= 990; ++message) {
    report.deliveries.times.record(message * 1ms);
  }
  report.punctuality.lateness.record(50us);
  report.punctuality.skipped = 12;
  report.punctuality.behind_broker = 120ms;
  report.punctuality.behind_pub = 20ms;
  return report;
}

TEST(Report, AsTextHasALineForEachThing) {
  EXPECT_EQ(text_of(example(), ReportFormat::text),
            "clients          1\n"
            "sent             1000 messages, 5000 bytes, in 10.250 s\n"
            "acknowledged     990\n"
            "refused          9\n"
            "                 not authorized (0x87): 7\n"
            "                 quota exceeded (0x97): 2\n"
            "unacknowledged   1\n"
            "sent again       3\n"
            "not sent         4\n"
            "rate             100.000/s asked, 99.500/s achieved\n"
            "skipped          12 slots\n"
            "behind           0.140 s: broker 0.120 s, stdin 0.000 s, pub 0.020 s\n"
            "lateness         p50 0.050 ms, p90 0.050 ms, p99 0.050 ms, max 0.050 ms\n"
            "acknowledgement  p50 495.976 ms, p90 891.290 ms, p99 979.370 ms, max 990.000 ms\n");
}

TEST(Report, AsJsonIsOneObjectInOneLine) {
  const std::string text = text_of(example(), ReportFormat::json);
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  const auto json = nlohmann::json::parse(text);
  const nlohmann::json expected{{"clients", 1},
                                {"sent", 1000},
                                {"acknowledged", 990},
                                {"refused", 9},
                                {"refusals", {{"not authorized (0x87)", 7}, {"quota exceeded (0x97)", 2}}},
                                {"unacknowledged", 1},
                                {"sent_again", 3},
                                {"not_sent", 4},
                                {"input_left", false},
                                {"bytes", 5000},
                                {"seconds", 10.25},
                                {"rate_asked", 100.0},
                                {"rate_achieved", 99.5},
                                {"skipped", 12},
                                {"behind_seconds", 0.14},
                                {"limit", "broker"},
                                {"lateness_ms", {{"p50", 0.05}, {"p90", 0.05}, {"p99", 0.05}, {"max", 0.05}}},
                                {"acknowledgement_ms", json.at("acknowledgement_ms")}};
  EXPECT_EQ(json, expected);
  EXPECT_NEAR(json["acknowledgement_ms"]["p99"].get<double>(), 981, 9.81);
}

TEST(Report, AnInputThatWasNotReadToItsEndIsNotCalledSent) {
  Report report = example();
  report.input_left = true;
  EXPECT_NE(text_of(report, ReportFormat::text).find("not sent         4, and the input was not read to its end\n"),
            std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(text_of(report, ReportFormat::json))["input_left"], true);
  Report other = example();
  other.merge(*unpacked(packed(report)));
  EXPECT_TRUE(other.input_left);
}

TEST(Report, WithoutAPaceTheRateIsWhatWasAcknowledgedInAllTheTime) {
  Report report;
  EXPECT_FALSE(report.rate_achieved);
  report.time = std::chrono::seconds(10);
  report.deliveries.taken = report.deliveries.acknowledged = 1;
  report.take_rate_from_time();
  EXPECT_FALSE(report.rate_achieved) << "one message has no rate";
  report.deliveries.taken = 1000;
  report.deliveries.acknowledged = 500;
  report.take_rate_from_time();
  EXPECT_EQ(report.rate_achieved, 50);
  Report other = report;
  other.time = std::chrono::seconds(5);
  report.merge(other);
  EXPECT_EQ(report.rate_achieved, 100) << "clients that ran side by side took no more than the longest";
}

TEST(Report, WhatThereIsNoneOfIsNullInJson) {
  const auto json = nlohmann::json::parse(text_of(Report{}, ReportFormat::json));
  for (const char* key : {"rate_asked", "rate_achieved", "limit", "lateness_ms", "acknowledgement_ms"}) {
    EXPECT_TRUE(json.at(key).is_null()) << key;
  }
  EXPECT_EQ(json.at("refusals"), nlohmann::json::object());
}

/// The columns of a CSV line, of which one may be in quotation marks.
std::vector<std::string> columns(const std::string& line) {
  std::vector<std::string> all(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      all.emplace_back();
    } else {
      all.back() += c;
    }
  }
  return all;
}

TEST(Report, AsCsvHasANameForEachValue) {
  for (const Report& report : {example(), Report{}}) {
    std::istringstream lines(text_of(report, ReportFormat::csv));
    std::string names;
    std::string values;
    std::string more;
    std::getline(lines, names);
    std::getline(lines, values);
    EXPECT_FALSE(std::getline(lines, more));
    ASSERT_EQ(columns(names).size(), columns(values).size()) << names << "\n" << values;
    std::map<std::string, std::string> row;
    for (std::size_t at = 0; at < columns(names).size(); ++at) {
      row[columns(names)[at]] = columns(values)[at];
    }
    EXPECT_EQ(row["sent"], std::to_string(report.deliveries.taken));
    EXPECT_EQ(row["refused"], std::to_string(report.refused()));
    EXPECT_EQ(row["refusals"], report.deliveries.taken > 0 ? "not authorized (0x87): 7; quota exceeded (0x97): 2" : "");
    EXPECT_EQ(row["rate_achieved"], report.deliveries.taken > 0 ? "99.5" : "");
    EXPECT_EQ(row["lateness_ms_max"], report.deliveries.taken > 0 ? "0.05" : "");
  }
}

TEST(Report, OfSeveralClientsIsOneOfAllTheirMessages) {
  Report report = example();
  Report other = example();
  other.time = 12s;
  other.deliveries.refused = {{"not authorized (0x87)", 1}};
  other.rate_asked.reset();
  report.merge(other);
  EXPECT_EQ(report.clients, 2U);
  EXPECT_EQ(report.deliveries.taken, 2000U);
  EXPECT_EQ(report.not_sent, 8U);
  EXPECT_EQ(report.deliveries.bytes, 10000U);
  EXPECT_EQ(report.time, 12s);
  EXPECT_EQ(report.refused(), 10U);
  EXPECT_EQ(report.deliveries.refused.at("not authorized (0x87)"), 8U);
  EXPECT_EQ(report.deliveries.times.count(), 1980U);
  EXPECT_EQ(report.rate_asked, 100);
  EXPECT_EQ(report.rate_achieved, 199);
  EXPECT_EQ(report.punctuality.skipped, 24U);
  EXPECT_EQ(report.behind(), 280ms);
}

TEST(Report, ComesBackFromItsLine) {
  for (const Report& report : {example(), Report{}}) {
    const std::string line = packed(report);
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    const auto back = unpacked(line);
    ASSERT_TRUE(back) << line;
    EXPECT_EQ(packed(*back), line);
    EXPECT_EQ(text_of(*back, ReportFormat::text), text_of(report, ReportFormat::text));
  }
}

TEST(Report, WhatIsNoLineOfOneIsNone) {
  for (const char* line : {"", "{}", "[]", "{\"sent\":1}", "x", "{\"times\":\"\",\"lateness\":\"\"}"}) {
    EXPECT_FALSE(unpacked(line)) << line;
  }
}

}  // namespace
}  // namespace sistem
