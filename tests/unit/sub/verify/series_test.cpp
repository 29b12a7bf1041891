#include "sub/verify/verifier.hpp"

#include <gtest/gtest.h>

namespace sistem {
namespace {

using Fate = Series::Fate;
using Ranges = std::vector<Series::Range>;

TEST(Series, SaysOfEachMessageWhatItIs) {
  Series series;
  for (const auto& [number, fate] : {std::pair{1U, Fate::in_order},
                                     {2U, Fate::in_order},
                                     {2U, Fate::duplicate},
                                     {6U, Fate::in_order},
                                     {4U, Fate::late},
                                     {4U, Fate::duplicate},
                                     {1U, Fate::duplicate},
                                     {3U, Fate::late},
                                     {5U, Fate::late},
                                     {7U, Fate::in_order}}) {
    EXPECT_EQ(series.take(number), fate) << number;
  }
  EXPECT_EQ(series.highest(), 7U);
  EXPECT_EQ(series.received(), 7U);
  EXPECT_EQ(series.lost(), 0U);
  EXPECT_EQ(series.duplicated(), 3U);
  EXPECT_EQ(series.reordered(), 3U);
  EXPECT_EQ(series.furthest(), 3U) << "6 was there when 3 came";
  EXPECT_TRUE(series.lost_ranges(9).empty());
}

TEST(Series, KnowsWhatIsMissing) {
  Series series;
  for (const std::uint64_t number : {3U, 4U, 10U, 12U, 6U}) {
    (void)series.take(number);
  }
  EXPECT_EQ(series.lost_ranges(9), (Ranges{{1, 2}, {5, 5}, {7, 9}, {11, 11}}));
  EXPECT_EQ(series.lost_ranges(2), (Ranges{{1, 2}, {5, 5}}));
  EXPECT_EQ(series.lost(), 7U);
  EXPECT_EQ(series.received(), 5U);
  series.end(15);
  EXPECT_EQ(series.lost(), 10U) << "the last ones, too";
  EXPECT_EQ(series.lost_ranges(9).back(), (Series::Range{13, 15}));
  EXPECT_EQ(series.take(14), Fate::late);
  EXPECT_EQ(series.lost_ranges(9).back(), (Series::Range{15, 15}));
  series.end(15);
  EXPECT_EQ(series.lost(), 9U) << "said twice";
}

TEST(Series, GoesUpToTheGreatestNumber) {
  Series series;
  EXPECT_EQ(series.take(UINT64_MAX), Fate::in_order);
  EXPECT_EQ(series.lost(), UINT64_MAX - 1);
  EXPECT_EQ(series.take(UINT64_MAX), Fate::duplicate);
  EXPECT_EQ(series.take(1), Fate::late);
  EXPECT_EQ(series.lost_ranges(9), (Ranges{{2, UINT64_MAX - 1}}));
}

TEST(Series, RemembersSoManyRangesAndNoMore) {
  Series series;
  for (std::uint64_t number = 2; number <= 40'000; number += 2) {
    (void)series.take(number);
  }
  EXPECT_EQ(series.lost(), 20'000U);
  EXPECT_EQ(series.lost_ranges(SIZE_MAX).size(), 10'000U);
  EXPECT_EQ(series.take(1), Fate::duplicate) << "lost for good";
  EXPECT_EQ(series.take(39'999), Fate::late);
  EXPECT_EQ(series.lost(), 19'999U);
}

}  // namespace
}  // namespace sistem
