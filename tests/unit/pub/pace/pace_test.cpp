#include "pub/pace/pace.hpp"

#include <gtest/gtest.h>

#include "common/options/option.hpp"

namespace sistem {
namespace {

using namespace std::chrono_literals;

TEST(DurationOf, TakesEachUnit) {
  EXPECT_EQ(duration_of("30s"), 30s);
  EXPECT_EQ(duration_of("5m"), 5min);
  EXPECT_EQ(duration_of("1h"), 1h);
  EXPECT_EQ(duration_of("1.5h"), 90min);
  EXPECT_EQ(duration_of("250ms"), 250ms);
  EXPECT_EQ(duration_of("20us"), 20us);
  EXPECT_EQ(duration_of("2d"), 48h);
  EXPECT_EQ(duration_of("0.1"), 100ms);
}

TEST(DurationOf, RefusesWhatIsNone) {
  for (const char* text : {"", "s", "0", "0s", "-1s", "30x", "30 s", "1h30m", "inf", "nan", "1e9d", "1e3s"}) {
    EXPECT_THROW((void)duration_of(text), Expected) << text;
  }
}

/// The row of that name, after it took `text`.
std::vector<std::string> given_back(const std::string& name, const std::string& text) {
  Pace pace;
  const auto rows = pace_rows(pace);
  const Option* row = find_option(rows, name);
  row->field.set(text);
  const auto words = row->field.get();
  row->field.set(words.front());
  EXPECT_EQ(row->field.get(), words) << name << " " << text;
  return words;
}

TEST(PaceRows, GiveBackWhatTheyTook) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(given_back("rate", "0.5"), Words{"0.5"});
  EXPECT_EQ(given_back("interval", "10"), Words{"10"});
  EXPECT_EQ(given_back("ramp", "0..1000/30s"), Words{"0..1000/30"});
  EXPECT_EQ(given_back("ramp", "0.5..2.5/1m"), Words{"0.5..2.5/60"});
  EXPECT_EQ(given_back("jitter", "10%"), Words{"10%"});
  EXPECT_EQ(given_back("jitter", "10"), Words{"10%"});
  EXPECT_EQ(given_back("duration", "5m"), Words{"300"});
  EXPECT_EQ(given_back("speed", "60x"), Words{"60x"});
  EXPECT_EQ(given_back("speed", "2"), Words{"2x"});
  EXPECT_EQ(given_back("speed", "max"), Words{"max"});
  EXPECT_EQ(given_back("clock-start", "2026-11-25"), Words{"2026-11-25T00:00:00Z"});
  EXPECT_EQ(given_back("clock-start", "2026-11-25T08:09:10.5"), Words{"2026-11-25T08:09:10.500000000Z"});
}

}  // namespace
}  // namespace sistem
