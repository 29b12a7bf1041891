#include "sub/show/graph.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <cmath>

#include "common/text/words.hpp"
#include "tests/support/time_zone.hpp"

namespace sistem {
namespace {

using namespace std::chrono_literals;

const WallTime graph_start{12h + 30min};

Message message(const std::string& topic, const std::string& payload, WallTime::duration after) {
  return {.topic = topic, .payload = payload, .arrival = graph_start + after};
}

TEST(NumberField, FindsTheNumber) {
  const struct {
    const char* path;
    const char* payload;
    std::optional<double> number;
  } rows[] = {
      {"payload", "23.6", 23.6},
      {"payload", "23.6 %", 23.6},
      {".", "28°C", 28},
      {".", " -1e3\n", -1000},
      {".", "+5", 5},
      {".", "0.52 0.58 0.59", 0.52},
      {".", "", std::nullopt},
      {".", "on", std::nullopt},
      {".", "nan", std::nullopt},
      {".", "2026-03-01", std::nullopt},  // a date
      {".", "12:30", std::nullopt},       // a time
      {".", "192.168.0.1", std::nullopt},
      {".", "{\"a\":1}", std::nullopt},
      {"a", "{\"a\":1}", 1},
      {".a", "{\"a\":1}", 1},
      {"a.b", "{\"a\":{\"b\":-2.5}}", -2.5},
      {"a.1", "{\"a\":[1,2]}", 2},
      {"a.2", "{\"a\":[1,2]}", std::nullopt},
      {"a.x", "{\"a\":[1,2]}", std::nullopt},
      {"a.1", "{\"a\":{\"1\":3}}", 3},
      {"1", "[4,5]", 5},
      {"a", "{\"a\":true}", 1},
      {"a", "{\"a\":\"21.5 C\"}", 21.5},
      {"a", "{\"a\":null}", std::nullopt},
      {"a", "{\"a\":{}}", std::nullopt},
      {"b", "{\"a\":1}", std::nullopt},
      {"a", "5", std::nullopt},
      {"a", "{\"a\":", std::nullopt},
      {"a", "{\"a\":31,\"max\":1e400}", 31},
      {"max", "{\"a\":31,\"max\":1e400}", std::nullopt},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(NumberField{row.path}.of(row.payload), row.number) << row.path << " of " << row.payload;
  }
}

TEST(NumberField, APathHasNamesOnly) {
  for (const char* path : {"", "a.", "a..b", "..a"}) {
    EXPECT_THROW(NumberField{path}, Expected) << path;
  }
}

class GraphTest : public testing::Test {
 protected:
  std::vector<std::string> frame(WallTime::duration after, TerminalSize size = {40, 14}) const {
    return graph_.frame(size, Paint{Palette::none}, graph_start + after);
  }

  test::TimeZone zone_{"UTC"};
  Graph graph_{NumberField{"."}};
};

TEST_F(GraphTest, SaysThatNothingHasComeYet) {
  EXPECT_EQ(frame(0s), std::vector<std::string>{"no number has come yet"});
  EXPECT_FALSE(graph_.take(message("a", "on", 0s)));
  EXPECT_EQ(frame(0s), (std::vector<std::string>{"no number has come yet", "1 message has no number there"}));
  EXPECT_EQ(Graph{NumberField{"a.b"}}.frame({40, 14}, Paint{Palette::none}, graph_start),
            std::vector<std::string>{"no number has come yet at a.b"});
}

TEST_F(GraphTest, DrawsALineOfDotsBetweenAxes) {
  for (int second = 0; second <= 20; ++second) {
    EXPECT_TRUE(graph_.take(message("sensor", fmt::format("{}", second), std::chrono::seconds(second))));
  }
  EXPECT_EQ(frame(20s), (std::vector<std::string>{
                            "20 ┤                                ⢀⠤⠊",
                            "   │                              ⢀⠔⠁",
                            "   │                            ⡠⠒⠁",
                            "   │                          ⡠⠊",
                            "10 ┤                       ⢀⠔⠉",
                            "   │                     ⣀⠔⠁",
                            "   │                   ⡠⠊",
                            "   │                ⢀⠤⠊",
                            " 0 ┤              ⢀⠔⠁",
                            "   └──────────────┬──────────────┬─────",
                            "              12:30:00       12:30:15",
                            "━━ sensor  20",
                        }));
}

TEST_F(GraphTest, EachTopicHasALineAndALegend) {
  for (int second = 0; second <= 10; ++second) {
    (void)graph_.take(message("up", fmt::format("{}", second), std::chrono::seconds(second)));
    (void)graph_.take(message("flat", "5 V", std::chrono::seconds(second)));
  }
  const auto lines = graph_.frame({40, 14}, Paint{Palette::few}, graph_start + 10s);
  EXPECT_EQ(lines[lines.size() - 2], Paint{Palette::few}.series(0, "━━") + " up    10");
  EXPECT_EQ(lines[lines.size() - 1], Paint{Palette::few}.series(1, "━━") + " flat  5");
  EXPECT_NE(lines[0].find(Paint{Palette::few}.series(0, "⠁").substr(0, 5)), std::string::npos) << lines[0];
}

TEST_F(GraphTest, WithoutColoursLinesAreToldByLetters) {
  for (int second = 0; second <= 10; ++second) {
    (void)graph_.take(message("high", "2", std::chrono::seconds(second)));
    (void)graph_.take(message("low", "1", std::chrono::seconds(second)));
  }
  const auto lines = frame(10s);
  EXPECT_TRUE(lines.front().ends_with("aaaaaaaaaaa")) << lines.front();
  EXPECT_TRUE(lines[7].ends_with("bbbbbbbbbbb")) << lines[7];
  EXPECT_EQ(lines[lines.size() - 2], "a high  2");
  EXPECT_EQ(lines.back(), "b low   1");
}

TEST_F(GraphTest, CountsTheTopicsForWhichThereIsNoColour) {
  for (int topic = 0; topic < 9; ++topic) {
    EXPECT_TRUE(graph_.take(message(fmt::format("t/{}", topic), "1", 0s)));
  }
  EXPECT_EQ(frame(0s).back(), "3 more topics are not drawn");
}

TEST_F(GraphTest, ANumberThatStaysTheSameIsInTheMiddle) {
  (void)graph_.take(message("a", "100", 0s));
  (void)graph_.take(message("a", "100", 1s));
  const auto lines = frame(1s);
  EXPECT_TRUE(lines.front().starts_with("110 ┤")) << lines.front();
  EXPECT_NE(fmt::format("{}", fmt::join(lines, "\n")).find("100 ┤"), std::string::npos);
}

TEST_F(GraphTest, NumbersAtTheAxisHaveAsManyDecimalsAsTheyNeed) {
  const struct {
    const char* least;
    const char* most;
    const char* label;
  } rows[] = {{"0", "0.03", "0.04"}, {"1000000", "3000000", "3000000"}, {"0", "5e9", "5e+09"}, {"-3", "-1", "-1"}};
  for (const auto& row : rows) {
    Graph graph{NumberField{"."}};
    (void)graph.take(message("a", row.least, 0s));
    (void)graph.take(message("a", row.most, 1s));
    const auto lines = graph.frame({60, 14}, Paint{Palette::none}, graph_start + 1s);
    EXPECT_NE(lines.front().find(row.label), std::string::npos) << lines.front();
  }
}

TEST_F(GraphTest, TimeGoesFurtherBackWhereNumbersComeSeldom) {
  for (int minute = 0; minute < 20; ++minute) {
    (void)graph_.take(message("a", fmt::format("{}", minute), std::chrono::minutes(minute)));
  }
  const auto lines = frame(19min, {80, 14});
  EXPECT_EQ(lines[lines.size() - 2].substr(lines[lines.size() - 2].find("12:")),
            "12:00:00       12:15:00       12:30:00       12:45:00");
}

TEST_F(GraphTest, NumbersThatAreFarFromTheOthersDoNoHarm) {
  for (int second = 0; second < 100; ++second) {
    (void)graph_.take(message("a",
                              second == 50   ? "1e299"
                              : second == 55 ? "-1e-299"
                                             : "1",
                              std::chrono::seconds(second)));
    (void)graph_.take(message("b", "1e308", std::chrono::seconds(second)));
    (void)frame(std::chrono::seconds(second));
  }
  EXPECT_EQ(frame(99s).back(), "100 messages have no number there");
  EXPECT_TRUE(frame(200s).front().starts_with("1.1 ┤")) << frame(200s).front();
}

TEST_F(GraphTest, KeepsToTheTerminal) {
  for (int count = 0; count < 5000; ++count) {
    (void)graph_.take(message(fmt::format("topic/{}", count % 4), fmt::format("{}", std::sin(count * 0.1) * 1000),
                              std::chrono::milliseconds(count * 100)));
  }
  for (const TerminalSize size : {TerminalSize{40, 14}, TerminalSize{80, 24}, TerminalSize{200, 60}}) {
    const auto lines = graph_.frame(size, Paint{Palette::none}, graph_start + 500s);
    EXPECT_LT(lines.size(), size.rows);
    for (const std::string& line : lines) {
      std::size_t columns = 0;
      for (const char c : line) {
        columns += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
      }
      EXPECT_LT(columns, size.columns) << line;
    }
  }
}

TEST_F(GraphTest, WithoutATerminalANumberIsALine) {
  EXPECT_EQ(Graph::line(message("a\tb", "23.60 %", 5s), 23.6, Paint{Palette::none}), "12:30:05.000\ta\\tb\t23.6\n");
}

}  // namespace
}  // namespace sistem
