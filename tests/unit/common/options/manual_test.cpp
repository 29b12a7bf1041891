#include "common/options/manual.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/process/error.hpp"
#include "tests/support/expect.hpp"

namespace sistem {
namespace {

/// A table with a row of every kind.
struct DescribedTool {
  std::string host = "localhost";
  int level = 1;
  bool loud = false;
  bool tidy = true;
  std::string colour = "red";
  std::string key;
  std::string topic;
  std::vector<std::string> items;
  std::string shown;

  std::vector<Option> rows() {
    return table_of({{"Where to",
                      {{"-h, --host HOST",
                        "Name of the host. It may be an address, e.g. ::1. That is all.",
                        text(host),
                        {.groups = {"place"}}},
                       {"--socket PATH", "A socket.", text(topic), {.groups = {"place"}}}}},
                     {"Sound",
                      {{"-l, --loud", "Be \"loud\" - it's 'so'.", flag(loud)},
                       {"--tidy", ".hidden \\ is ~ this: ° `x`.", flag(tidy)},
                       {"-C, --colour COLOUR",
                        "Paint it.",
                        choice<std::string>(colour, {{"red", "red"}, {"blue", "blue"}}),
                        {.aliases = {"color"}}}}},
                     {"Secrets",
                      {{"--key KEY", "A key.", text(key), {.secret = true}},
                       {"--item ITEM", "An item.", list(items)},
                       {"--old WORD", "Refused: it is old.", impossible("no")}}},
                     {"Help", {{"--help[=TOPIC]", "Show this.", text(shown), {.homes = Homes::command_line_only}}}}});
  }
};

ToolText sample_tool() {
  return {.name = "sample",
          .summary = "does nothing",
          .description = "Does nothing.\n\n'Really' nothing.",
          .examples = "# nothing\nsample -l\n# .much\n.sample -C 'red'\n",
          .drop_in_for = "other_sample",
          .libraries = [] { return std::string("none"); },
          .synopsis = {"-h HOST [-l]"},
          .chapters = "# Forms\n\nThere are\nsome.\n\n%a\n  the\n  first.\n\n    first\n    .second\n"};
}

std::string help() {
  DescribedTool sample;
  return help_text(sample.rows(), sample_tool());
}

std::string help(const std::string& topic) {
  DescribedTool sample;
  return help_on(topic, sample.rows(), sample_tool());
}

std::string man() {
  DescribedTool sample;
  return man_page(sample.rows(), sample_tool());
}

TEST(Wrapped, BreaksAtBlanksBeforeColumnEightyOne) {
  const std::string word(39, 'x');
  EXPECT_EQ(wrapped(word + " " + word, 0), word + " " + word);
  EXPECT_EQ(wrapped(word + " " + word + "yy", 4), word + "\n    " + word + "yy");
  EXPECT_EQ(wrapped(word + " " + word, 2, 2), word + "\n  " + word);
}

TEST(Wrapped, CountsCharactersAndNotBytes) {
  std::string degrees;
  for (int count = 0; count < 39; ++count) {
    degrees += "°";
  }
  EXPECT_EQ(wrapped(degrees + " " + degrees, 0), degrees + " " + degrees);
}

TEST(Wrapped, LeavesAWordWholeThatIsLongerThanALine) {
  const std::string word(100, 'x');
  EXPECT_EQ(wrapped("a " + word + " b", 2), "a\n  " + word + "\n  b");
}

TEST(FirstSentence, EndsAtTheFirstDotThatEndsOne) {
  EXPECT_EQ(first_sentence("One. Two."), "One.");
  EXPECT_EQ(first_sentence("One, e.g. this. Two."), "One, e.g. this.");
  EXPECT_EQ(first_sentence("TLS 1.3 only."), "TLS 1.3 only.");
}

TEST(Help, ListsOptionsBySectionWithTheirFirstSentenceAndDefault) {
  const std::string text = help();
  expect_in(text, "\nWhere to:\n  -h, --host HOST            Name of the host (default: localhost).\n");
  expect_in(text, "\nSound:\n  -l, --loud                 Be \"loud\" - it's 'so'.\n");
  expect_in(text, "  -C, --colour COLOUR        Paint it (default: red).\n");
  expect_not_in(text, "That is all");
  EXPECT_LT(text.find("Where to:"), text.find("Sound:"));
}

TEST(Help, ShowsNoDefaultOfFlagsAndOfWhatIsOnlyAsked) {
  expect_not_in(help(), "default: true");
  expect_not_in(help(), "default: false");
  DescribedTool sample;
  sample.shown = "help";
  expect_not_in(help_on("help", sample.rows(), sample_tool()), "Default");
}

TEST(Help, NeverShowsASecret) {
  DescribedTool sample;
  sample.key = "sesame";
  const auto table = sample.rows();
  expect_not_in(help_text(table, sample_tool()), "sesame");
  expect_not_in(help_on("key", table, sample_tool()), "sesame");
  expect_not_in(man_page(table, sample_tool()), "sesame");
}

TEST(Help, KeepsParagraphsApartAndPutsExamplesLast) {
  expect_in(help(), "Usage: sample [OPTION]...\n       sample -h HOST [-l]\n\nDoes nothing.\n\n'Really' nothing.\n\n");
  EXPECT_TRUE(help().ends_with("\nExamples:\n  # nothing\n  sample -l\n  # .much\n  .sample -C 'red'\n"));
}

TEST(Help, NamesWhatIsRefusedApartFromTheList) {
  expect_not_in(help(), "--old WORD");
  expect_in(help(), "Known from other_sample and refused, each with its reason: --old.");
}

TEST(HelpOn, AnOptionSaysAllAboutIt) {
  EXPECT_EQ(help("host"),
            "-h, --host HOST\n"
            "      Name of the host. It may be an address, e.g. ::1. That is all.\n"
            "\n"
            "      Section     Where to\n"
            "      Default     localhost\n"
            "      Instead of  --socket\n"
            "      Variable    MQTT_HOST\n"
            "      In a file   host = HOST\n");
  expect_in(help("colour"), "      Also        --color\n      Values      red, blue\n      Default     red\n");
  expect_in(help("item"), "Repeated    adds up");
  expect_in(help("tidy"), "Default     on; --tidy=false turns it off");
  expect_in(help("help"), "Home        the command line only");
  expect_not_in(help("old"), "MQTT_OLD");
}

TEST(HelpOn, FindsAnOptionByEachOfItsNames) {
  for (const char* topic : {"--colour", "-C", "C", "color", "--color", "MQTT_COLOUR"}) {
    EXPECT_EQ(help(topic), help("colour")) << topic;
  }
}

TEST(HelpOn, FindsASectionByTheBeginningOfItsNameInAnyCase) {
  expect_in(help("WHERE"), "Where to:\n  -h, --host HOST            Name of the host. It may be an address");
  expect_not_in(help("where"), "--loud");
  expect_in(help("sec"), "--old WORD             Refused: it is old.");
}

TEST(HelpOn, ExitTellsWhatEachStatusMeans) {
  const std::string text = help("exit");
  for (const char* status : {"0", "1", "2", "3", "4", "5", "6", "27", "128+n"}) {
    expect_in(text, fmt::format("\n  {:<7}", status));
  }
  expect_in(text, "\n  27     time is up");
}

TEST(HelpOn, AChapterIsShownWithItsListsAndSamples) {
  EXPECT_EQ(help("forms"), "Forms:\n  There are some.\n\n  %a  the first.\n\n      first\n      .second\n");
}

TEST(HelpOn, WhatIsNothingIsComplainedAboutWithTheNearest) {
  try {
    (void)help("colours");
    FAIL() << "no complaint";
  } catch (const UsageError& error) {
    expect_in(error.what(), "--help: no option or section \"colours\"; did you mean colour?");
    expect_in(error.what(), "where, sound, secrets");
  }
  EXPECT_THROW((void)help("---"), UsageError);
}

TEST(HelpOn, EveryTopicThatIsToldIsOne) {
  DescribedTool sample;
  const auto table = sample.rows();
  const auto topics = help_topics(table, sample_tool());
  EXPECT_NE(std::find(topics.begin(), topics.end(), "exit"), topics.end());
  for (const std::string& topic : topics) {
    EXPECT_FALSE(help_on(topic, table, sample_tool()).empty()) << topic;
  }
}

TEST(ManPage, HasItsPartsInOrder) {
  const std::string text = man();
  std::size_t at = 0;
  for (const char* heading :
       {".TH SAMPLE 1 ", ".SH NAME\nsample \\- does nothing\n", ".SH SYNOPSIS", ".SH DESCRIPTION",
        ".SH OPTIONS\n.SS Where to\n", ".SS Sound\n", ".SH FORMS", ".SH OPTIONS FILES", ".SH ENVIRONMENT",
        ".SH SECRETS", ".SH EXIT STATUS", ".SH DIFFERENCES", ".SH EXAMPLES", ".SH SEE ALSO"}) {
    const std::size_t here = text.find(heading);
    ASSERT_NE(here, std::string::npos) << heading;
    EXPECT_GE(here, at) << heading;
    at = here;
  }
}

TEST(ManPage, EscapesWhatRoffWouldTakeForItsOwn) {
  const std::string text = man();
  expect_in(text, "Be \\(dqloud\\(dq \\- it\\(aqs \\(aqso\\(aq.");
  expect_in(text, "\n\\&.hidden \\e is \\(ti this: \\[u00B0] \\(gax\\(ga.");
  expect_in(text, "\n\\&\\(aqReally\\(aq nothing.\n");
  expect_in(text, "\n\\&.second\n");
  expect_in(text, "\n\\&.much:\n");
  expect_in(text, "\\fB\\-C\\fR, \\fB\\-\\-colour\\fR \\fICOLOUR\\fR\n");
  for (const char c : text) {
    ASSERT_LT(static_cast<unsigned char>(c), 0x80U);
  }
}

TEST(ManPage, NamesEveryVariableThatHasAnEffect) {
  for (const char* variable : {"MQTT_HOST", "MQTT_COLOUR", "MQTT_KEY"}) {
    expect_in(man(), variable);
  }
  expect_not_in(man(), "MQTT_HELP");
  expect_not_in(man(), "MQTT_OLD");
}

}  // namespace
}  // namespace sistem
