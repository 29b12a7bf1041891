#include "sub/show/watch.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/time_zone.hpp"

namespace sistem {
namespace {

using namespace std::chrono_literals;

const WallTime watch_start{12h + 30min};

Message message(const std::string& topic, WallTime::duration after, bool retain = false) {
  return {.topic = topic, .retain = retain, .arrival = watch_start + after};
}

std::vector<std::string> frame(const Watch& watch, WallTime::duration after, TerminalSize size = {80, 24}) {
  return watch.frame(size, Paint{Palette::none}, watch_start + after);
}

TEST(RecentRate, IsThatOfTheLastTenWholeSeconds) {
  RecentRate rate;
  EXPECT_EQ(rate.per_second(watch_start), 0);
  rate.count(watch_start + 500ms);
  EXPECT_EQ(rate.per_second(watch_start + 700ms), 0) << "nobody can say yet";
  EXPECT_EQ(rate.per_second(watch_start + 1s), 1);
  for (int second = 1; second < 30; ++second) {
    rate.count(watch_start + std::chrono::seconds(second) + 500ms);
    rate.count(watch_start + std::chrono::seconds(second) + 600ms);
  }
  EXPECT_EQ(rate.per_second(watch_start + 30s), 2);
  EXPECT_EQ(rate.per_second(watch_start + 35s), 1);
  EXPECT_EQ(rate.per_second(watch_start + 40s), 0);
  rate.count(watch_start + 100s);
  EXPECT_EQ(rate.per_second(watch_start + 101s), 0.1);
}

TEST(RecentRate, AClockThatIsSetBackDoesNoHarm) {
  RecentRate rate;
  rate.count(watch_start + 1000s);
  rate.count(watch_start);
  EXPECT_EQ(rate.per_second(watch_start), 0);
  rate.count(watch_start + 1001s);
  EXPECT_EQ(rate.per_second(watch_start + 1002s), 1);
}

TEST(Watch, ShowsALineForEachTopicInTheirOrder) {
  Watch watch;
  watch.take(message("sistem/memori", 0s), "23.6 %");
  watch.take(message("sistem/cpu", 500ms), "99.0 %");
  watch.take(message("sistem/cpu", 1500ms), "12.5 %");
  watch.take(message("sistem/status", 0s, true), "online");
  EXPECT_EQ(frame(watch, 2s), (std::vector<std::string>{
                                  "TOPIC          VALUE      AGE  COUNT    RATE",
                                  "sistem/cpu     12.5 %   0.5 s      2   1.0/s",
                                  "sistem/memori  23.6 %   2.0 s      1   0.5/s",
                                  "sistem/status  online    kept      1        ",
                                  "",
                                  "3 topics, 4 messages, 1.5/s",
                              }));
}

TEST(Watch, SaysHowOldAValueIs) {
  const struct {
    WallTime::duration after;
    const char* age;
  } rows[] = {{0ms, "0.0 s"},    {9900ms, "9.9 s"}, {10500ms, "10 s"}, {59900ms, "59 s"}, {61s, "1 min"},
              {59min, "59 min"}, {61min, "1 h"},    {25h, "1 d"},      {-5s, "0.0 s"}};
  for (const auto& row : rows) {
    Watch watch;
    watch.take(message("a", 0s), "x");
    EXPECT_NE(frame(watch, row.after)[1].find(fmt::format(" {} ", row.age)), std::string::npos)
        << frame(watch, row.after)[1];
  }
}

TEST(Watch, OfMoreTopicsThanRowsThoseThatChangedLastAreShown) {
  Watch watch;
  for (int topic = 0; topic < 10; ++topic) {
    watch.take(message(fmt::format("t/{}", topic), std::chrono::seconds(topic)), "x");
  }
  watch.take(message("t/1", 20s), "news");
  const auto lines = frame(watch, 21s, {80, 8});
  ASSERT_EQ(lines.size(), 7U);  // with the empty line above it that is all of the terminal
  EXPECT_TRUE(lines[1].starts_with("t/1 ")) << lines[1];
  EXPECT_TRUE(lines[2].starts_with("t/8 ")) << lines[2];
  EXPECT_TRUE(lines[3].starts_with("t/9 ")) << lines[3];
  EXPECT_EQ(lines[4], "and 7 more topics, which changed longer ago");
  EXPECT_EQ(lines[6], "10 topics, 11 messages, 0.1/s");
}

TEST(Watch, WhatIsTooWideIsCutSoThatNoLineWraps) {
  Watch watch;
  watch.take(message(std::string(60, 't'), 0s), std::string(5000, 'v'));
  watch.take(message("short", 0s), "x");
  for (const std::size_t columns : {60U, 80U, 200U}) {
    for (const std::string& line : frame(watch, 1s, {columns, 24})) {
      EXPECT_LT(line.size(), columns + 5) << line;  // an ellipsis has three bytes
    }
  }
  EXPECT_EQ(frame(watch, 1s, {60, 24})[1], "short              x                   1.0 s      1   1.0/s");
  EXPECT_EQ(frame(watch, 1s, {60, 24})[2], "tttttttttttttttt…  vvvvvvvvvvvvvvvv…   1.0 s      1   1.0/s");
}

TEST(Watch, AValueIsOneLineThatActsOnNothing) {
  Watch watch;
  watch.take(message("a", 0s), "b\n\x1b[2J");
  watch.take(message("c", 0s), "");
  EXPECT_TRUE(frame(watch, 1s)[1].starts_with("a      b\\n\\x1b[2J ")) << frame(watch, 1s)[1];
  EXPECT_TRUE(frame(watch, 1s)[2].starts_with("c      (empty) ")) << frame(watch, 1s)[2];
}

TEST(Watch, NewsAreBold) {
  Watch watch;
  watch.take(message("a", 0s), "x");
  const Paint paint{Palette::few};
  EXPECT_NE(watch.frame({80, 24}, paint, watch_start + 500ms)[1].find("\x1b[1mx"), std::string::npos);
  EXPECT_EQ(watch.frame({80, 24}, paint, watch_start + 1500ms)[1].find("\x1b[1m"), std::string::npos);
}

TEST(Watch, ForgetsTheTopicsThatWereSilentLongest) {
  Watch watch;
  for (std::size_t topic = 0; topic <= Watch::most_topics; ++topic) {
    watch.take(message(fmt::format("t/{:05}", topic), std::chrono::milliseconds(topic)), "x");
  }
  const auto lines = frame(watch, 20s, {80, 7});
  EXPECT_TRUE(lines[1].starts_with("t/09999 ")) << lines[1];
  EXPECT_TRUE(lines[2].starts_with("t/10000 ")) << lines[2];
  EXPECT_EQ(lines[3], "and 9999 more topics, which changed longer ago");
  EXPECT_TRUE(lines[5].starts_with("10001 topics, 10001 messages")) << lines[5];
}

TEST(Watch, WithoutATerminalPrintsWhatChanged) {
  const test::TimeZone zone{"UTC"};
  Watch watch;
  const Paint paint{Palette::none};
  watch.take(message("b", 0s), "1");
  watch.take(message("a", 500ms, true), "kept\tone");
  EXPECT_EQ(watch.changes(paint, watch_start + 1s), "12:30:00\ta\t1\tkept\tkept\\tone\n12:30:00\tb\t1\t1.0/s\t1\n");
  EXPECT_EQ(watch.changes(paint, watch_start + 2s), "");
  watch.take(message("b", 2s), "2");
  watch.take(message("b", 2500ms), "3");
  EXPECT_EQ(watch.changes(paint, watch_start + 3s), "12:30:02\tb\t3\t1.0/s\t3\n");
}

}  // namespace
}  // namespace sistem
