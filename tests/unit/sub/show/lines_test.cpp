#include "sub/show/lines.hpp"

#include <gtest/gtest.h>

#include <set>

#include "common/text/wall_time.hpp"
#include "sub/show/terminal.hpp"
#include "tests/support/time_zone.hpp"

namespace sistem {
namespace {

using namespace std::chrono_literals;

/// 12:30:05.123 in UTC.
const WallTime half_past_twelve{std::chrono::hours{12} + 30min + 5s + 123ms};

class TerminalLinesTest : public testing::Test {
 protected:
  static Message message(const std::string& topic, const std::string& payload, bool retain = false) {
    return {.topic = topic, .payload = payload, .retain = retain, .arrival = half_past_twelve};
  }
  static std::string printed(const std::vector<Message>& messages, Palette palette = Palette::none) {
    TerminalLines lines{Paint{palette}};
    std::string out;
    for (const Message& one : messages) {
      lines.append(one, out);
    }
    return out;
  }

  test::TimeZone zone_{"UTC"};
};

TEST_F(TerminalLinesTest, ShowsTimeTopicAndPayloadInColumns) {
  EXPECT_EQ(printed({message("sistem/cpu", "12.5 %"), message("sistem/memori", "23.6 %"), message("a", "b c")}),
            "12:30:05.123  sistem/cpu  12.5 %\n"
            "12:30:05.123  sistem/memori  23.6 %\n"
            "12:30:05.123  a              b c\n");
}

TEST_F(TerminalLinesTest, ATopicThatIsVeryWidePushesItsOwnPayloadOnly) {
  const std::string wide(50, 'w');
  EXPECT_EQ(printed({message(wide, "1"), message("a", "2")}),
            "12:30:05.123  " + wide + "  1\n12:30:05.123  a" + std::string(39, ' ') + "  2\n");
}

TEST_F(TerminalLinesTest, ColumnsCountWhatIsSeen) {
  EXPECT_EQ(printed({message("日本", "1"), message("abcd", "2")}), "12:30:05.123  日本  1\n12:30:05.123  abcd  2\n");
}

TEST_F(TerminalLinesTest, MarksWhatWasRetainedAndWhatIsEmpty) {
  EXPECT_EQ(printed({message("a", "online", true), message("a", ""), message("a", "", true)}),
            "12:30:05.123  a  [retained] online\n12:30:05.123  a  (empty)\n12:30:05.123  a  [retained] (empty)\n");
}

TEST_F(TerminalLinesTest, NothingThatAMessageBringsActsOnTheTerminal) {
  EXPECT_EQ(printed({message("a\x1b[2J", "b\n\x1b]0;title\x07\xFF")}),
            "12:30:05.123  a\\x1b[2J  b\\n\\x1b]0;title\\x07\\xff\n");
}

TEST_F(TerminalLinesTest, PaintsTimeTopicAndMark) {
  EXPECT_EQ(printed({message("sistem/cpu", "1", true)}, Palette::few),
            "\x1b[2m12:30:05.123\x1b[0m  " + Paint{Palette::few}.topic("sistem/cpu", "sistem/cpu") +
                "  \x1b[2m[retained]\x1b[0m 1\n");
}

TEST(Paint, ATopicAlwaysHasTheSameColour) {
  const Paint paint{Palette::many};
  EXPECT_EQ(paint.topic("sistem/cpu", "x"), Paint{Palette::many}.topic("sistem/cpu", "x"));
  EXPECT_TRUE(paint.topic("sistem/cpu", "x").starts_with("\x1b[38;5;"));
  EXPECT_TRUE(paint.topic("sistem/cpu", "x").ends_with("mx\x1b[0m"));
}

TEST(Paint, TheTopicsOfTheLabHaveColoursThatDiffer) {
  std::set<std::string> colours;
  for (const char* topic : {"cpu", "memori", "beban", "disk", "jaringan", "uptime", "suhu", "status"}) {
    colours.insert(Paint{Palette::many}.topic(std::string("sistem/") + topic, "x"));
  }
  EXPECT_EQ(colours.size(), 8U);
}

TEST(Paint, SeriesHaveColoursThatDiffer) {
  for (const Palette palette : {Palette::few, Palette::many}) {
    std::set<std::string> colours;
    for (std::size_t number = 0; number < Paint::series_colours; ++number) {
      colours.insert(Paint{palette}.series(number, "x"));
    }
    EXPECT_EQ(colours.size(), Paint::series_colours);
  }
}

TEST(Paint, WithoutColoursNothingIsAdded) {
  const Paint paint{Palette::none};
  EXPECT_EQ(paint.topic("a", "b") + paint.dim("c") + paint.bold("d") + paint.series(1, "e"), "bcde");
  EXPECT_FALSE(paint.has_colours());
}

TEST(Paint, TheEnvironmentSaysWhichColoursThereAre) {
  const struct {
    std::map<std::string, std::string> environment;
    Palette palette;
  } rows[] = {
      {{}, Palette::few},
      {{{"TERM", "xterm"}}, Palette::few},
      {{{"TERM", "xterm-256color"}}, Palette::many},
      {{{"TERM", "xterm"}, {"COLORTERM", "truecolor"}}, Palette::many},
      {{{"TERM", "dumb"}}, Palette::none},
      {{{"TERM", "xterm-256color"}, {"NO_COLOR", "1"}}, Palette::none},
      {{{"TERM", "xterm-256color"}, {"NO_COLOR", ""}}, Palette::many},  // an empty one says nothing (no-color.org)
  };
  for (const auto& row : rows) {
    EXPECT_EQ(palette_of(row.environment), row.palette);
  }
}

const WallTime rate_start{12h + 30min};

TEST(MessageRate, SaysHowManyHaveComeAndHowFast) {
  const test::TimeZone zone{"UTC"};
  MessageRate rate{rate_start};
  EXPECT_FALSE(rate.has_news());
  for (int count = 0; count < 3; ++count) {
    rate.take({.topic = "a", .payload = "12345"});
  }
  EXPECT_TRUE(rate.has_news());
  EXPECT_EQ(rate.line(rate_start + 1s, 0), "12:30:01          3 messages      15 B        3.0/s     0 waiting\n");
  EXPECT_FALSE(rate.has_news());
  EXPECT_EQ(rate.line(rate_start + 2s, 7), "12:30:02          3 messages      15 B        0.0/s     7 waiting\n");
  for (int count = 0; count < 5000; ++count) {
    rate.take({.topic = "a", .payload = std::string(1000, 'x')});
  }
  EXPECT_EQ(rate.line(rate_start + 4s, 1000), "12:30:04       5003 messages    5.0 MB     2500.0/s  1000 waiting\n");
}

TEST(MessageRate, ForWhoKnowsMosquittoSubSaysNothingButTheNumber) {
  MessageRate rate{rate_start};
  rate.take({.topic = "a"});
  rate.take({.topic = "a"});
  EXPECT_EQ(rate.bare_line(rate_start + 1s), "2\n");
  EXPECT_EQ(rate.bare_line(rate_start + 2s), "0\n");
}

}  // namespace
}  // namespace sistem
