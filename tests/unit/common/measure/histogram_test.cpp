#include "common/measure/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

namespace sistem {
namespace {

using std::chrono::nanoseconds;

/// The exact counterpart of percentile().
std::int64_t exact_percentile(std::vector<std::int64_t> values, double percent) {
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<std::size_t>(std::ceil(percent / 100 * static_cast<double>(values.size())));
  return values[std::clamp<std::size_t>(rank, 1, values.size()) - 1];
}

Histogram histogram_of(const std::vector<std::int64_t>& values) {
  Histogram histogram;
  for (const std::int64_t value : values) {
    histogram.record(nanoseconds(value));
  }
  return histogram;
}

TEST(Histogram, IsAtMostOnePercentOffForEveryKindOfDistribution) {
  std::mt19937_64 random{7};
  std::lognormal_distribution<double> latency{13, 2};                  // around 0.4 ms, with a long tail
  std::uniform_int_distribution<std::int64_t> anything{0, INT64_MAX};  // up to three centuries
  std::geometric_distribution<std::int64_t> small{0.05};               // tens of nanoseconds
  std::bernoulli_distribution stalls{0.01};                            // 50 us, sometimes 2 s
  const std::vector<std::function<std::int64_t()>> kinds{
      [&] { return static_cast<std::int64_t>(latency(random)); }, [&] { return anything(random); },
      [&] { return small(random); }, [&] { return stalls(random) ? 2'000'000'000 : 50'000; }};
  for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
    std::vector<std::int64_t> values(5000);
    std::generate(values.begin(), values.end(), kinds[kind]);
    const Histogram histogram = histogram_of(values);
    for (const double percent : {0.0, 1.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
      const auto exact = static_cast<double>(exact_percentile(values, percent));
      const auto measured = static_cast<double>(histogram.percentile(percent).count());
      EXPECT_LE(std::abs(measured - exact), 0.01 * exact) << "kind " << kind << ", " << percent << " %: " << exact;
    }
  }
}

TEST(Histogram, SmallNumbersAndTheEndsAreExact) {
  const Histogram histogram = histogram_of({3, 255, 1'234'567'890'123});
  EXPECT_EQ(histogram.percentile(1), nanoseconds(3));
  EXPECT_EQ(histogram.percentile(50), nanoseconds(255));
  EXPECT_EQ(histogram.percentile(100), nanoseconds(1'234'567'890'123));
  EXPECT_EQ(histogram.least(), nanoseconds(3));
  EXPECT_EQ(histogram.greatest(), nanoseconds(1'234'567'890'123));
}

TEST(Histogram, OfNothingIsZero) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.percentile(50), nanoseconds(0));
  EXPECT_EQ(histogram.percentile(100), nanoseconds(0));
  EXPECT_EQ(histogram.least(), nanoseconds(0));
}

TEST(Histogram, ANegativeValueIsZero) { EXPECT_EQ(histogram_of({-5}).percentile(100), nanoseconds(0)); }

TEST(Histogram, MergedIsAsIfOneHadRecordedAll) {
  Histogram merged = histogram_of({1, 1000, 1'000'000});
  merged.merge(histogram_of({}));
  merged.merge(histogram_of({5, 2'000'000'000}));
  EXPECT_EQ(merged.to_text(), histogram_of({1, 1000, 1'000'000, 5, 2'000'000'000}).to_text());
  EXPECT_EQ(merged.count(), 5U);
}

TEST(Histogram, ComesBackFromItsText) {
  for (const auto& values : {std::vector<std::int64_t>{}, {0}, {7, 7, 70'000, INT64_MAX}}) {
    const Histogram histogram = histogram_of(values);
    const auto back = Histogram::from_text(histogram.to_text());
    ASSERT_TRUE(back) << histogram.to_text();
    EXPECT_EQ(back->to_text(), histogram.to_text());
    EXPECT_EQ(back->count(), values.size());
    EXPECT_EQ(back->greatest(), histogram.greatest());
  }
}

TEST(Histogram, WhatIsNoTextOfOneIsNone) {
  for (const char* text : {"", "1", "1:2", "2:1;", "x:1;", "1:2;3", "1:2;3:", "1:2;3:4", "1:2;999999999:1,",
                           "1:2;-1:1,", "1:99999999999999999999;"}) {
    EXPECT_FALSE(Histogram::from_text(text)) << text;
  }
}

}  // namespace
}  // namespace sistem
