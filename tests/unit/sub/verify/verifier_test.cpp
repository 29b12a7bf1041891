#include "sub/verify/verifier.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "sub/verify/verdict.hpp"

namespace sistem {
namespace {

using namespace std::chrono_literals;

const Stamp::Time run_began{1'795'599'000s};
const std::chrono::steady_clock::time_point run_began_steady{5h};

/// A message as it arrives: stamped so long after the run began, and so long on its way.
Message stamped(const std::string& publisher, std::uint64_t number, std::chrono::nanoseconds sent,
                std::chrono::nanoseconds took = 1ms, std::optional<std::chrono::nanoseconds> due = {}) {
  Message message{.topic = "a", .payload = "x"};
  put_stamp({publisher, number, run_began + sent, due ? std::optional(run_began + *due) : std::nullopt},
            StampPlace::properties, message);
  message.arrival = run_began + sent + took;
  message.arrival_steady = run_began_steady + sent + took;
  return message;
}

Message ended(const std::string& publisher, std::uint64_t count, std::chrono::nanoseconds sent) {
  Message message{.topic = "a"};
  put_stamp_end({publisher, count, run_began + sent}, StampPlace::properties, message);
  return message;
}

TEST(Verifier, CountsForEachPublisher) {
  Verifier verifier;
  for (const auto& [publisher, number] : {std::pair{"p", 1}, {"q", 2}, {"p", 2}, {"p", 2}, {"q", 1}, {"p", 5}}) {
    verifier.take(stamped(publisher, static_cast<std::uint64_t>(number), std::chrono::milliseconds(number)));
  }
  ASSERT_EQ(verifier.runs().size(), 2U);
  EXPECT_EQ(verifier.runs()[0].publisher, "p");
  EXPECT_EQ(verifier.runs()[0].series.lost(), 2U);
  EXPECT_EQ(verifier.runs()[0].series.duplicated(), 1U);
  EXPECT_EQ(verifier.runs()[1].series.reordered(), 1U);
  const Totals totals{verifier};
  EXPECT_EQ(totals.received, 5U);
  EXPECT_EQ(totals.sent, 7U);
  EXPECT_EQ(totals.lost, 2U);
  EXPECT_EQ(verifier.taken(), 6U);
}

TEST(Verifier, APublisherThatBeginsAnewHasAnotherRun) {
  Verifier verifier;
  for (std::uint64_t number = 1; number <= 3; ++number) {
    verifier.take(stamped("p", number, std::chrono::seconds(number)));
  }
  verifier.take(stamped("p", 3, 3s, 2s));  // a copy of the old one
  for (std::uint64_t number = 1; number <= 2; ++number) {
    verifier.take(stamped("p", number, std::chrono::seconds(100 + number)));
  }
  ASSERT_EQ(verifier.runs().size(), 2U);
  EXPECT_EQ(verifier.runs()[0].series.duplicated(), 1U);
  EXPECT_EQ(verifier.runs()[1].run, 2U);
  EXPECT_EQ(verifier.runs()[1].series.received(), 2U);
  EXPECT_EQ(Totals{verifier}.duplicated, 1U);
}

TEST(Verifier, AfterItsEndAHigherNumberIsAnotherRunToo) {
  Verifier verifier;
  verifier.take(stamped("p", 1, 1s));
  verifier.take(ended("p", 1, 2s));
  verifier.take(ended("p", 1, 2s));  // delivered twice
  EXPECT_TRUE(verifier.has_ended(1));
  verifier.take(stamped("p", 2, 3s));
  ASSERT_EQ(verifier.runs().size(), 2U);
  EXPECT_FALSE(verifier.has_ended(1));
  EXPECT_EQ(Totals{verifier}.lost, 1U) << "the first one of the second run";
}

TEST(Verifier, KnowsByTheEndWhatIsLostOfTheTail) {
  Verifier verifier;
  verifier.take(stamped("p", 1, 1s));
  EXPECT_FALSE(verifier.has_ended(1));
  verifier.take(ended("p", 4, 2s));
  EXPECT_TRUE(verifier.has_ended(1));
  EXPECT_FALSE(verifier.has_ended(2));
  EXPECT_FALSE(verifier.is_complete());
  EXPECT_EQ(Totals{verifier}.lost, 3U);
  verifier.take(ended("q", 2, 2s));  // of which nothing came at all
  EXPECT_TRUE(verifier.has_ended(2));
  EXPECT_EQ(Totals{verifier}.lost, 5U);
  for (std::uint64_t number = 2; number <= 4; ++number) {
    verifier.take(stamped("p", number, 1s + std::chrono::milliseconds(number), 3s));
  }
  verifier.take(stamped("q", 1, 1s, 3s));
  verifier.take(stamped("q", 2, 1s + 1ms, 3s));
  EXPECT_TRUE(verifier.is_complete());
  EXPECT_EQ(verifier.runs().size(), 2U);
}

TEST(Verifier, WhatIsDamagedIsLostAndWhatHasNoStampIsNone) {
  Verifier verifier;
  verifier.take(stamped("p", 1, 1s));
  Message damaged = stamped("p", 2, 2s);
  damaged.payload = "y";
  verifier.take(damaged);
  verifier.take(stamped("p", 3, 3s));
  verifier.take({.topic = "a", .payload = "21.5"});
  verifier.take(stamped("p", 0, 4s));
  EXPECT_EQ(verifier.unstamped(), 2U);
  EXPECT_EQ(verifier.runs()[0].corrupted, 1U);
  EXPECT_EQ(Totals{verifier}.lost, 1U);
  EXPECT_EQ(Totals{verifier}.received, 2U);
  const std::vector<std::string> expected{"lost 1, 1 more than the 0 allowed"};
  EXPECT_EQ(broken({.max_loss = 0}, Totals{verifier}), expected);
}

TEST(Verifier, MeasuresFromWhenItWasSentAndFromWhenItWasDue) {
  Verifier verifier;
  for (std::uint64_t number = 1; number <= 100; ++number) {
    const std::chrono::nanoseconds due = number * 10ms;
    // Every tenth is held up by pub itself, for half a second.
    verifier.take(stamped("p", number, due + (number % 10 == 0 ? 500ms : 0ms), number % 2 == 0 ? 2ms : 1ms, due));
  }
  const Latencies& latencies = verifier.runs()[0].latencies;
  EXPECT_EQ(latencies.from_sent.greatest(), 2ms);
  EXPECT_EQ(latencies.from_due.greatest(), 502ms);
  EXPECT_EQ(latencies.lateness.greatest(), 500ms);
  EXPECT_EQ(latencies.mean(), 1500us);
  EXPECT_EQ(latencies.jitter(), 1ms);
  EXPECT_EQ(latencies.judged.greatest(), 502ms);
  const std::string report = text_of(verifier, {}, {}, ReportFormat::text);
  EXPECT_NE(report.find("pub was a limit"), std::string::npos) << report;
}

TEST(Verifier, OneWithoutAPaceIsJudgedBesideOneWithIt) {
  Verifier verifier;
  verifier.take(stamped("paced", 1, 1s, 1ms, 1s));
  verifier.take(stamped("unpaced", 1, 1s, 900ms));
  EXPECT_EQ(Totals{verifier}.latencies.judged.greatest(), 900ms);
  EXPECT_EQ(broken({.max_p99 = 5ms}, Totals{verifier}).size(), 1U);
}

TEST(Verifier, AMarkMayComeBeforeWhatItCounts) {
  Verifier verifier;
  verifier.take(ended("p", 2, 3s));
  verifier.take(stamped("p", 1, 1s, 3s));
  verifier.take(stamped("p", 2, 2s, 3s));
  EXPECT_EQ(Totals{verifier}.rate(), 1.0);
  EXPECT_TRUE(verifier.is_complete());
}

TEST(Verifier, ADamagedOneIsLostAlsoWhereItIsTheLast) {
  Verifier verifier;
  Message damaged = stamped("p", 1, 1s);
  damaged.payload = "y";
  verifier.take(damaged);
  EXPECT_EQ(Totals{verifier}.lost, 1U);
  const std::vector<std::string> expected{"lost 1, 1 more than the 0 allowed", "p99 could not be measured"};
  EXPECT_EQ(broken({.max_loss = 0, .max_p99 = 1s}, Totals{verifier}), expected);
}

TEST(Verifier, AClockThatIsDecadesOffOverflowsNothing) {
  Verifier verifier;
  for (std::uint64_t number = 1; number <= 20; ++number) {
    Message message = stamped("p", number, std::chrono::nanoseconds(number));
    message.arrival = Stamp::Time{std::chrono::nanoseconds{INT64_MAX}};
    verifier.take(message);
  }
  EXPECT_GT(verifier.runs()[0].latencies.mean(), std::chrono::hours(24 * 365 * 100));
}

TEST(Verifier, AnExactQuantileIsMetToAHundredth) {
  Verifier verifier;
  std::mt19937_64 random{3};
  std::lognormal_distribution<double> latency{13, 1.5};
  std::vector<std::int64_t> exact;
  for (std::uint64_t number = 1; number <= 10'000; ++number) {
    exact.push_back(static_cast<std::int64_t>(latency(random)));
    verifier.take(stamped("p", number, number * 1ms, std::chrono::nanoseconds(exact.back())));
  }
  std::ranges::sort(exact);
  const Totals totals{verifier};
  for (const double percent : {50.0, 90.0, 99.0, 99.9, 100.0}) {
    const auto wanted = static_cast<double>(exact[static_cast<std::size_t>(percent * 100) - 1]);
    EXPECT_NEAR(static_cast<double>(totals.latencies.judged.percentile(percent).count()), wanted, wanted / 100)
        << percent;
  }
}

TEST(Verifier, NamesStepsOf40Milliseconds) {
  Verifier steps;
  Verifier spread;
  for (std::uint64_t number = 1; number <= 100; ++number) {
    steps.take(stamped("p", number, number * 100ms, number % 4 == 0 ? 41ms + number * 10us : 1ms));
    spread.take(stamped("p", number, number * 100ms, number * 1ms));
  }
  EXPECT_TRUE(steps.runs()[0].latencies.has_steps());
  EXPECT_FALSE(spread.runs()[0].latencies.has_steps());
  EXPECT_NE(text_of(steps, {}, {}, ReportFormat::text).find("about 40 ms"), std::string::npos);
}

TEST(Verifier, AClockThatIsAheadIsTakenOffOnRequestOnly) {
  for (const bool subtracts : {false, true}) {
    Verifier verifier{subtracts};
    verifier.take(clock_word("a", "p", {300ms, 1ms}));
    verifier.take(stamped("p", 1, 1s, 302ms));
    EXPECT_EQ(verifier.runs()[0].latencies.from_sent.greatest(), subtracts ? 2ms : 302ms);
    EXPECT_NE(
        text_of(verifier, {}, {}, ReportFormat::text).find("our clock is 300.000 ms ahead of that of p, within 1.000"),
        std::string::npos);
    EXPECT_EQ(verifier.unstamped(), 0U);
  }
}

TEST(Verdict, NamesEachBudgetThatWasNotKept) {
  Verifier verifier;
  for (const std::uint64_t number : {1U, 2U, 2U, 6U, 5U}) {
    verifier.take(stamped("p", number, number * 100ms, 10ms));
  }
  const Totals totals{verifier};
  EXPECT_TRUE(broken({}, totals).empty());
  EXPECT_TRUE(broken({2, 1, 1, 11ms, 5}, totals).empty());
  const std::vector<std::string> expected{
      "lost 2, 1 more than the 1 allowed", "duplicated 1, 1 more than the 0 allowed",
      "reordered 1, 1 more than the 0 allowed", "p99 is 10.000 ms, 5.000 ms more than the 5.000 ms allowed"};
  EXPECT_EQ(broken({1, 0, 0, 5ms, {}}, totals), expected);
  ASSERT_TRUE(totals.rate());
  EXPECT_EQ(broken({.min_rate = 1000}, totals).size(), 1U);
}

TEST(Verdict, ReportsTheSameInEachFormat) {
  Verifier verifier;
  for (const std::uint64_t number : {1U, 2U, 4U}) {
    verifier.take(stamped("p", number, number * 100ms, 10ms));
  }
  const std::string text = text_of(verifier, {.max_loss = 0}, {}, ReportFormat::text);
  EXPECT_NE(text.find("received         3 of 4\n"), std::string::npos) << text;
  EXPECT_NE(text.find("lost             1: 3\n"), std::string::npos) << text;
  EXPECT_NE(text.find("verdict          broken: lost 1, 1 more than the 0 allowed\n"), std::string::npos) << text;
  const std::string json = text_of(verifier, {.max_loss = 0}, {}, ReportFormat::json);
  EXPECT_NE(json.find(R"("lost_ranges":[[3,3]])"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("broken":["lost 1, 1 more than the 0 allowed"])"), std::string::npos) << json;
  const std::string csv = text_of(verifier, {.max_loss = 0}, {}, ReportFormat::csv);
  EXPECT_TRUE(csv.starts_with("publishers,sent,received,lost,")) << csv;
  EXPECT_NE(csv.find("\n1,4,3,1,"), std::string::npos) << csv;
}

}  // namespace
}  // namespace sistem
