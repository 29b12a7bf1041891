#include "common/settings.hpp"

#include <gtest/gtest.h>

#include <map>

#include "common/error.hpp"
#include "common/session.hpp"
#include "common/version.hpp"
#include "pub/pub_config.hpp"
#include "sub/sub_config.hpp"

namespace sistem {
namespace {

/// A small table of every kind of row.
struct Sample {
  std::string name = "default";
  std::optional<std::string> note;
  bool loud = false;
  int level = 1;
  std::optional<std::chrono::duration<double>> limit;
  std::vector<std::string> optional_values;
  std::vector<std::string> list;

  std::vector<Option> rows() {
    return {
        {"name", 'n', "NAME", "One", "A name.", text(name)},
        {"note", 0, "TEXT", "One", "A note.", text(note)},
        {"loud", 'l', "", "Two", "Be loud.", flag(loud)},
        {"level", 'L', "N", "Two", "A level.", number(level, 0, 9)},
        {"time-limit", 0, "SECONDS", "Two", "A limit.", seconds(limit)},
        {"maybe", 0, "[=VALUE]", "Two", "A value that may be left out.",
         [this](std::string_view value) { optional_values.emplace_back(value); }},
        {"list", 0, "ITEM", "Two", "Adds up.", [this](std::string_view value) { list.emplace_back(value); },
         [this] { list.clear(); }},
    };
  }
};

const ToolText sample_tool{"sample", "Does nothing.", "  sample\n", library_versions};

std::string read(Sample& sample, const std::vector<std::string>& arguments,
                 const std::map<std::string, std::string>& environment = {}) {
  const Environment look_up = [&](const std::string& name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    return found == environment.end() ? std::nullopt : std::optional(found->second);
  };
  return read_settings(sample.rows(), sample_tool, {arguments, look_up}).shown.value_or("");
}

TEST(Settings, DefaultsStayWhereNoHomeHasAValue) {
  Sample sample;
  read(sample, {});
  EXPECT_EQ(sample.name, "default");
  EXPECT_EQ(sample.note, std::nullopt);
  EXPECT_FALSE(sample.loud);
}

TEST(Settings, ReadLongAndShortAndJoinedWords) {
  Sample sample;
  read(sample, {"--name=one", "-L", "2", "-l", "--note", "a = b, c"});
  EXPECT_EQ(sample.name, "one");
  EXPECT_EQ(sample.level, 2);
  EXPECT_TRUE(sample.loud);
  EXPECT_EQ(sample.note, "a = b, c");
  read(sample, {"-lL7"});
  EXPECT_EQ(sample.level, 7);
}

TEST(Settings, AValueMayBeginWithADashOrBeEmpty) {
  Sample sample;
  read(sample, {"--note", "-5", "--name", "--loud"});
  EXPECT_EQ(sample.note, "-5");
  EXPECT_EQ(sample.name, "--loud");
  EXPECT_FALSE(sample.loud);
  read(sample, {"--note", ""});
  EXPECT_EQ(sample.note, "");
  read(sample, {"--name="});
  EXPECT_EQ(sample.name, "");
}

TEST(Settings, TheCommandLineWinsOverTheEnvironment) {
  Sample sample;
  read(sample, {"--name", "typed"}, {{"MQTT_NAME", "variable"}, {"MQTT_LEVEL", "3"}});
  EXPECT_EQ(sample.name, "typed");
  EXPECT_EQ(sample.level, 3);
}

TEST(Settings, AHomeThatWinsReplacesAWholeList) {
  Sample sample;
  read(sample, {"--list", "one", "--list", "two"}, {{"MQTT_LIST", "variable"}});
  EXPECT_EQ(sample.list, (std::vector<std::string>{"one", "two"}));
}

TEST(Settings, AnEmptyVariableIsNone) {
  Sample sample;
  read(sample, {}, {{"MQTT_LEVEL", ""}, {"MQTT_NAME", ""}});
  EXPECT_EQ(sample.name, "default");
}

TEST(Settings, KnowTheHomeOfEachValue) {
  Sample sample;
  const Environment environment = [](const std::string& name) {
    return name == "MQTT_LEVEL" ? std::optional<std::string>("2") : std::nullopt;
  };
  const Settings settings = read_settings(sample.rows(), sample_tool, {{"-n", "x"}, environment});
  EXPECT_EQ(settings.home_of("level"), "MQTT_LEVEL");
  EXPECT_EQ(settings.home_of("name"), "--name");
  EXPECT_EQ(settings.home_of("note"), "--note");
}

TEST(Settings, TheLastOfARepeatedOptionWins) {
  Sample sample;
  read(sample, {"--name", "one", "--name", "two"});
  EXPECT_EQ(sample.name, "two");
}

TEST(Settings, AFlagReadsAsAWordInTheEnvironment) {
  for (const char* yes : {"1", "true", "YES", "on"}) {
    Sample sample;
    read(sample, {}, {{"MQTT_LOUD", yes}});
    EXPECT_TRUE(sample.loud) << yes;
  }
  Sample sample;
  read(sample, {"--loud=no"}, {{"MQTT_LOUD", "1"}});
  EXPECT_FALSE(sample.loud);
}

TEST(Settings, AnOptionalValueMayBeLeftOut) {
  Sample sample;
  read(sample, {"--maybe", "--maybe=5"});
  EXPECT_EQ(sample.optional_values, (std::vector<std::string>{"", "5"}));
}

TEST(Settings, SecondsMayHaveFractions) {
  Sample sample;
  read(sample, {"--time-limit", "0.25"});
  EXPECT_DOUBLE_EQ(sample.limit->count(), 0.25);
}

TEST(Settings, ComplaintsNameTheHomeTheValueAndWhatWasExpected) {
  struct Row {
    std::vector<std::string> arguments;
    std::map<std::string, std::string> environment;
    std::string complaint;
  };
  const Row table[] = {
      {{"--level", "12"}, {}, "--level: expected a whole number from 0 to 9, got \"12\""},
      {{"-L", "x"}, {}, "--level: expected a whole number from 0 to 9, got \"x\""},
      {{"--level", "-1"}, {}, "--level: expected a whole number from 0 to 9, got \"-1\""},
      {{"--level", "1.5"}, {}, "--level: expected a whole number from 0 to 9, got \"1.5\""},
      {{"--level", ""}, {}, "--level: expected a whole number from 0 to 9, got \"\""},
      {{"--level", " 1"}, {}, "--level: expected a whole number from 0 to 9, got \" 1\""},
      {{"--level", "99999999999999999999"}, {}, "--level: expected a whole number from 0 to 9"},
      {{}, {{"MQTT_LEVEL", "12"}}, "MQTT_LEVEL: expected a whole number from 0 to 9, got \"12\""},
      {{}, {{"MQTT_LOUD", "maybe"}}, "MQTT_LOUD: expected true or false, got \"maybe\""},
      {{"--loud=maybe"}, {}, "--loud: expected true or false, got \"maybe\""},
      {{}, {{"MQTT_TIME_LIMIT", "soon"}}, "MQTT_TIME_LIMIT: expected seconds above 0, got \"soon\""},
      {{"--time-limit", "0"}, {}, "--time-limit: expected seconds above 0, got \"0\""},
      {{"--time-limit", "-1"}, {}, "--time-limit: expected seconds above 0, got \"-1\""},
      {{"--time-limit", "inf"}, {}, "--time-limit: expected seconds above 0, got \"inf\""},
      {{"--time-limit", "nan"}, {}, "--time-limit: expected seconds above 0, got \"nan\""},
      {{"--time-limit", "3s"}, {}, "--time-limit: expected seconds above 0, got \"3s\""},
      {{"--nmae", "x"}, {}, "command line: no such option: --nmae"},
      {{"--nmae=x"}, {}, "command line: no such option: --nmae"},
      {{"-z"}, {}, "command line: no such option: -z"},
      {{"-5"}, {}, "command line: no such option: -5"},
      {{"--name"}, {}, "--name: expected NAME after it"},
      {{"-n"}, {}, "--name: expected NAME after it"},
      {{"stray"}, {}, "command line: \"stray\" is no option, and sample takes nothing else"},
      {{"--", "stray"}, {}, "command line: \"stray\" is no option, and sample takes nothing else"},
  };
  for (const Row& row : table) {
    Sample sample;
    try {
      read(sample, row.arguments, row.environment);
      ADD_FAILURE() << "no complaint where one was due: " << row.complaint;
    } catch (const UsageError& error) {
      EXPECT_EQ(std::string(error.what()).substr(0, row.complaint.size()), row.complaint);
      EXPECT_EQ(error.status(), ExitStatus::usage);
    }
  }
}

TEST(Settings, VersionNamesTheToolAndTheLibraries) {
  Sample sample;
  const std::string shown = read(sample, {"--version"});
  EXPECT_EQ(shown.substr(0, shown.find('\n')), std::string("sample ") + project_version);
  EXPECT_NE(shown.find("Paho MQTT C++ 1."), std::string::npos) << shown;
  EXPECT_NE(shown.find("Paho MQTT C 1."), std::string::npos) << shown;
}

TEST(Settings, HelpIsShownThoughAValueIsWrong) {
  Sample sample;
  EXPECT_NE(read(sample, {"--level", "99", "--help"}).find("Usage: sample"), std::string::npos);
}

/// What holds for every row of a real table.
void expect_good_table(const std::vector<Option>& table, const std::string& tool) {
  const std::string help = help_text(table, {tool, "Summary.", "  example\n", library_versions});
  std::map<std::string, int> names;
  for (const Option& option : table) {
    EXPECT_EQ(++names[option.name], 1) << option.name << " stands twice";
    if (option.letter != 0) {
      EXPECT_EQ(++names[std::string(1, option.letter)], 1) << option.letter << " stands twice";
    }
    EXPECT_FALSE(option.section.empty()) << option.name;
    EXPECT_TRUE(option.help.ends_with('.')) << option.name;
    EXPECT_TRUE(option.set) << option.name;
    EXPECT_NE(help.find("--" + option.name), std::string::npos) << option.name;
  }
  for (std::size_t start = 0; start < help.size();) {
    const std::size_t end = help.find('\n', start);
    EXPECT_LE(end - start, 80U) << help.substr(start, end - start);
    start = end + 1;
  }
}

TEST(Settings, EveryRowOfBothToolsIsCompleteAndFitsTheScreen) {
  PubConfig pub;
  expect_good_table(pub_rows(pub), "pub");
  SubConfig sub;
  expect_good_table(sub_rows(sub), "sub");
}

TEST(Settings, TheSameLetterMeansTheSameInBothTools) {
  PubConfig pub;
  SubConfig sub;
  for (const Option& one : pub_rows(pub)) {
    for (const Option& other : sub_rows(sub)) {
      if (one.letter != 0 && one.letter == other.letter) {
        EXPECT_EQ(one.name, other.name);
      }
    }
  }
}

}  // namespace
}  // namespace sistem
