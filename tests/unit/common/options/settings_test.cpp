#include "common/options/settings.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "common/process/error.hpp"
#include "common/session.hpp"
#include "common/version.hpp"
#include "tests/support/pipe.hpp"
#include "tests/support/temporary.hpp"

namespace sistem {
namespace {

using test::Pipe;
using test::TemporaryFolder;
using Variables = std::map<std::string, std::string>;

/// A small table of every kind of row.
struct Sample {
  std::string name = "default";
  std::optional<std::string> note;
  bool loud = false;
  bool quick = true;
  int level = 1;
  std::optional<std::chrono::duration<double>> limit;
  std::vector<std::string> optional_values;
  std::vector<std::string> list_of_items;
  std::vector<std::string> pairs;
  std::string secret;
  std::string left;
  std::string right;

  std::vector<Option> rows() {
    const Value maybe{[this](std::string_view value) { optional_values.emplace_back(value); },
                      [this] { return optional_values; }, [this] { optional_values.clear(); }};
    const auto url = [](std::string_view value, bool) {
      if (!value.starts_with("x://")) {
        throw Expected("expected x://");
      }
      return std::vector<std::pair<std::string, std::string>>{{"name", std::string(value.substr(4))}, {"level", "7"}};
    };
    return table_of({{"One",
                      {{"-n, --name NAME", "A name.", text(name), {.aliases = {"called"}, .shared = true}},
                       {"--note TEXT", "A note.", text(note)}}},
                     {"Two",
                      {{"-l, --loud", "Be loud.", flag(loud)},
                       {"--slow", "Be slow.", flag(quick, true)},
                       {"-L, --level N", "A level.", number(level, 0, 9)},
                       {"--time-limit SECONDS", "A limit.", seconds(limit)},
                       {"--maybe[=VALUE]", "May be left out.", maybe},
                       {"--list ITEM", "Adds up.", list(list_of_items)},
                       {"-P, --pair ONE OTHER",
                        "Two words or three.",
                        list(pairs),
                        {.words =
                             [](const std::vector<std::string>& words) {
                               return words.empty() || words[0] != "three" ? std::size_t{2} : std::size_t{3};
                             }}},
                       {"--secret WORD", "Hidden.", nonempty_text(secret, "a word"), {.secret = true}},
                       {"--left X", "Or right.", text(left), {.groups = {"side"}}},
                       {"--right X", "Or left.", text(right), {.groups = {"side"}}},
                       {"-u, --url URL", "Short.", {}, {.expands_to = url}}}}});
  }
};

/// What reading has shown on stdout, said on the console, and told to the tool.
struct Read {
  bool goes_on = false;
  std::string shown;
  std::string said;
  Settings settings;
};

Read read_from(Sample& sample, const Sources& sources) {
  Pipe out;
  Pipe err;
  Read result;
  Output output{out.writer(), {}};
  const ToolOptions tool{{.name = "pub",
                          .summary = "does nothing",
                          .description = "Does nothing.",
                          .examples = "# nothing\npub\n",
                          .drop_in_for = "mosquitto_pub",
                          .libraries = library_versions},
                         sample.rows(),
                         [&](Settings& settings) { result.settings = settings; }};
  result.goes_on = read_settings(tool, sources, output, Console{"pub", false, err.writer()}).has_value();
  out.close_writer();
  err.close_writer();
  result.shown = out.read_to_end();
  result.said = err.read_to_end();
  return result;
}

Read read(Sample& sample, const std::vector<std::string>& arguments, const Variables& environment = {}) {
  return read_from(sample, {arguments, environment});
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
  EXPECT_EQ(sample.list_of_items, (std::vector<std::string>{"one", "two"}));
}

TEST(Settings, AnEmptyVariableIsNone) {
  Sample sample;
  read(sample, {}, {{"MQTT_LEVEL", ""}, {"MQTT_NAME", ""}});
  EXPECT_EQ(sample.name, "default");
}

TEST(Settings, KnowTheHomeOfEachValue) {
  Sample sample;
  const Settings settings = read(sample, {"-n", "x"}, {{"MQTT_LEVEL", "2"}}).settings;
  EXPECT_EQ(settings.home_of("level"), "MQTT_LEVEL");
  EXPECT_EQ(settings.home_of("name"), "--name");
  EXPECT_EQ(settings.home_of("note"), "--note");
  EXPECT_TRUE(settings.given("level"));
  EXPECT_FALSE(settings.given("note"));
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
      {{"--nmae", "x"}, {}, "command line: no such option: --nmae; did you mean --name?"},
      {{"--nmae=x"}, {}, "command line: no such option: --nmae"},
      {{"-z"}, {}, "command line: no such option: -z"},
      {{"-5"}, {}, "command line: no such option: -5"},
      {{"--name"}, {}, "--name: expected NAME after it"},
      {{"-n"}, {}, "--name: expected NAME after it"},
      {{"stray"}, {}, "command line: \"stray\" is no option, and pub takes nothing else"},
      {{"--", "stray"}, {}, "command line: \"stray\" is no option, and pub takes nothing else"},
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

TEST(Settings, AnAliasIsTheOption) {
  Sample sample;
  EXPECT_EQ(read(sample, {"--called", "x"}).settings.home_of("name"), "--name");
  EXPECT_EQ(sample.name, "x");
}

TEST(Settings, AFlagMaySayTheOppositeOfItsField) {
  Sample sample;
  read(sample, {"--slow"});
  EXPECT_FALSE(sample.quick);
  read(sample, {"--slow=false"});
  EXPECT_TRUE(sample.quick);
}

TEST(Settings, ValuesOfSeveralWordsTakeThemAllAndAddUp) {
  Sample sample;
  read(sample, {"-P", "a", "-l", "--pair", "three", "-n", "b c", "-lP", "--", "\"", "-n", "x"});
  EXPECT_EQ(sample.pairs, (std::vector<std::string>{"a -l", "three -n \"b c\"", "-- \"\\\"\""}));
  EXPECT_EQ(split(sample.pairs[1]), (std::vector<std::string>{"three", "-n", "b c"}));
  EXPECT_EQ(split(sample.pairs[2]), (std::vector<std::string>{"--", "\""}));
  EXPECT_TRUE(sample.loud);
  EXPECT_EQ(sample.name, "x");
}

TEST(Settings, AValueInTheSameWordMayHoldAnything) {
  Sample sample;
  read(sample, {"--name=a\nb", "-L7", "-lnx\ny=", "--list=-1", "--pair", "n", "l1\nl2"});
  EXPECT_EQ(sample.name, "x\ny=");
  EXPECT_EQ(sample.level, 7);
  EXPECT_TRUE(sample.loud);
  EXPECT_EQ(sample.list_of_items, std::vector<std::string>{"-1"});
  EXPECT_EQ(split(sample.pairs.at(0)), (std::vector<std::string>{"n", "l1\nl2"}));
}

TEST(Settings, AFlagThatSaysNoAsksForNothing) {
  Sample sample;
  const Settings settings = read(sample, {"--loud=false"}, {{"MQTT_SLOW", "no"}}).settings;
  EXPECT_FALSE(settings.given("loud"));
  EXPECT_FALSE(settings.given("slow"));
  EXPECT_EQ(settings.home_of("loud"), "--loud");
}

TEST(Settings, AVariableThatAddsUpMayHaveSeveralLines) {
  Sample sample;
  read(sample, {}, {{"MQTT_LIST", "one\ntwo words\n\n"}});
  EXPECT_EQ(sample.list_of_items, (std::vector<std::string>{"one", "two words"}));
}

TEST(Settings, OfAGroupTheHomeThatWinsHasTheOneThatCounts) {
  Sample sample;
  const Settings settings = read(sample, {"--right", "typed"}, {{"MQTT_LEFT", "variable"}}).settings;
  EXPECT_EQ(sample.left, "");
  EXPECT_EQ(sample.right, "typed");
  EXPECT_FALSE(settings.given("left"));
  Sample both;
  EXPECT_THROW(read(both, {"--right", "x", "--left", "y"}), UsageError);
}

TEST(Settings, AnOptionMayStandForOthersWhichThenHaveItsHome) {
  Sample sample;
  const Settings settings = read(sample, {"-u", "x://there"}, {{"MQTT_NAME", "variable"}}).settings;
  EXPECT_EQ(sample.name, "there");
  EXPECT_EQ(sample.level, 7);
  EXPECT_EQ(settings.home_of("level"), "--url");
}

TEST(Settings, KubernetesPortIsIgnoredAndSaid) {
  Sample sample;
  const std::vector<Option> rows = sample.rows();
  std::string port;
  Pipe err;
  Output nowhere{-1, {}};
  const ToolOptions tool{{.name = "pub", .drop_in_for = "mosquitto_pub", .libraries = library_versions},
                         {{"--port N", "", text(port)}},
                         [](Settings&) {}};
  EXPECT_TRUE(
      read_settings(tool, {{}, {{"MQTT_PORT", "tcp://10.1.2.3:1883"}}}, nowhere, Console{"pub", false, err.writer()}));
  err.close_writer();
  EXPECT_EQ(err.read_to_end(),
            "pub: ignoring MQTT_PORT=tcp://10.1.2.3:1883, which Kubernetes sets for a service named mqtt\n");
  EXPECT_EQ(port, "");
}

TEST(Settings, AVariableOneLetterOffIsSaid) {
  for (const char* name : {"MQTT_LEVL", "MQTT_LEVELS", "MQTT_LEVLE", "MQTT_LEVEN"}) {
    Sample sample;
    EXPECT_NE(read(sample, {}, {{name, "2"}}).said.find("did you mean MQTT_LEVEL?"), std::string::npos) << name;
    EXPECT_EQ(sample.level, 1);
  }
  Sample sample;
  EXPECT_EQ(read(sample, {}, {{"MQTT_SERVICE_HOST", "x"}, {"MQTT_PORT_1883_TCP", "y"}, {"LEVEL", "z"}}).said, "");
}

TEST(Settings, WhatOnlyTheCommandLineHasIsNoVariable) {
  Sample sample;
  EXPECT_TRUE(read(sample, {}, {{"MQTT_VERSION", "true"}, {"MQTT_HELP", "true"}}).goes_on);
}

TEST(Settings, VersionNamesTheToolAndTheLibraries) {
  Sample sample;
  const Read result = read(sample, {"--version"});
  EXPECT_FALSE(result.goes_on);
  EXPECT_EQ(result.shown.substr(0, result.shown.find('\n')), std::string("pub ") + project_version);
  EXPECT_NE(result.shown.find("Paho MQTT C++ 1."), std::string::npos) << result.shown;
  EXPECT_NE(result.shown.find("Paho MQTT C 1."), std::string::npos) << result.shown;
}

TEST(Settings, HelpIsShownThoughAValueIsWrong) {
  Sample sample;
  EXPECT_NE(read(sample, {"--level", "99", "--help"}).shown.find("Usage: pub"), std::string::npos);
}

// Options files and profiles ----------------------------------------------------------------------------------

/// A folder for options files, and the variables that make it the place for profiles.
class Files : public testing::Test {
 protected:
  Read read_with(const std::vector<std::string>& arguments, Variables environment = {},
                 const std::string& called_as = "pub") {
    environment["XDG_CONFIG_HOME"] = folder_.path();
    return read_from(sample_, Sources{arguments, environment, called_as});
  }

  TemporaryFolder folder_;
  Sample sample_;
};

TEST_F(Files, AFileLosesToTheEnvironmentAndThatToTheCommandLine) {
  const auto file = folder_.write("lab.conf", "name file\nnote file\nlevel 3\n");
  const Settings settings =
      read_with({"-o", file, "--level", "5"}, {{"MQTT_NOTE", "variable"}, {"MQTT_LEVEL", "4"}}).settings;
  EXPECT_EQ(sample_.name, "file");
  EXPECT_EQ(sample_.note, "variable");
  EXPECT_EQ(sample_.level, 5);
  EXPECT_EQ(settings.home_of("name"), file.string() + ":1: name");
  EXPECT_EQ(settings.home_of("note"), "MQTT_NOTE");
}

TEST_F(Files, AProfileIsFoundByItsNameAndDefaultConfByItself) {
  folder_.write("sistem/lab.conf", "name lab\n");
  folder_.write("sistem/default.conf", "name default.conf\n");
  read_with({"--profile", "lab"});
  EXPECT_EQ(sample_.name, "lab");
  read_with({});
  EXPECT_EQ(sample_.name, "default.conf");
  read_with({}, {{"MQTT_PROFILE", "lab"}});
  EXPECT_EQ(sample_.name, "lab");
  EXPECT_EQ(read_with({"--list-profiles"}).shown, "default\nlab\n");
}

TEST_F(Files, CalledAsMosquittoPubItReadsThatToolsFile) {
  folder_.write("sistem/default.conf", "name default.conf\n");
  folder_.write("mosquitto_pub", "# comment\n-n   theirs, with blanks\n-l\n--level 3\n");
  EXPECT_TRUE(read_with({}, {}, "/usr/local/bin/mosquitto_pub").settings.drop_in);
  EXPECT_EQ(sample_.name, "theirs, with blanks");
  EXPECT_TRUE(sample_.loud);
  EXPECT_EQ(sample_.level, 3);
  EXPECT_FALSE(read_with({}).settings.drop_in);
}

TEST_F(Files, WithoutXdgConfigHomeTheFolderIsInTheHome) {
  folder_.write(".config/sistem/lab.conf", "name at home\n");
  read_from(sample_, Sources{{"--profile", "lab"}, {{"HOME", folder_.path()}}});
  EXPECT_EQ(sample_.name, "at home");
}

TEST_F(Files, ASavedProfileBringsTheSameValuesBackWithoutSecrets) {
  const Read saved = read_with({"--name", " two  words= ", "--list", "#1", "--list", "=2", "-P", "a b", "c", "--secret",
                                "hush", "--slow", "--save-profile", "mine"},
                               {{"MQTT_LEVEL", "4"}});
  EXPECT_FALSE(saved.goes_on);
  const auto file = folder_.path() / "sistem" / "mine.conf";
  EXPECT_EQ(saved.said, "pub: saved profile mine: " + file.string() +
                            "\npub: secret is not in it: what may be secret is not saved\n");
  EXPECT_EQ(std::filesystem::status(file).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  std::ifstream stream{file};
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  EXPECT_EQ(text.find("hush"), std::string::npos) << text;
  EXPECT_NE(text.find("# secret is a secret and not saved"), std::string::npos) << text;
  EXPECT_LT(text.find("name="), text.find("[pub]")) << text;

  Sample again;
  read_from(again, Sources{{"--profile", "mine"}, {{"XDG_CONFIG_HOME", folder_.path()}}});
  EXPECT_EQ(again.name, " two  words= ");
  EXPECT_EQ(again.list_of_items, (std::vector<std::string>{"#1", "=2"}));
  EXPECT_EQ(split(again.pairs.at(0)), (std::vector<std::string>{"a b", "c"}));
  EXPECT_EQ(again.level, 4);
  EXPECT_FALSE(again.quick);
  EXPECT_EQ(again.secret, "");
}

TEST_F(Files, AProfileCannotHoldAValueOfSeveralLines) {
  try {
    read_with({"--name", "a\nb", "--save-profile", "mine"});
    ADD_FAILURE() << "saved it";
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(), "--name: a profile cannot hold a value of several lines");
  }
}

TEST_F(Files, ShowConfigSaysEachValueAndWhereItCameFrom) {
  const auto file = folder_.write("lab.conf", "name file\n");
  const Read result = read_with({"-o", file, "--list", "one", "--list", "two", "--secret", "hush", "--show-config"},
                                {{"MQTT_LEVEL", "4"}});
  EXPECT_FALSE(result.goes_on);
  EXPECT_EQ(result.shown.find("hush"), std::string::npos);
  for (const char* line : {"One:\n", "  level                    4                      MQTT_LEVEL\n",
                           "  list                     one                    --list\n",
                           "  list                     two                    --list\n",
                           "  loud                     false                  default\n",
                           "  secret                   ********               --secret\n",
                           "  not set: time-limit, maybe, pair, left, right\n"}) {
    EXPECT_NE(result.shown.find(line), std::string::npos) << line << "is not in\n" << result.shown;
  }
}

TEST_F(Files, ComplaintsNameTheLine) {
  const std::pair<const char*, const char*> table[] = {
      {"level 12", ":1: level: expected a whole number from 0 to 9, got \"12\""},
      {"\n# x\n  -L=3", ":3: pub has no such option: -L=3"},
      {"levl 2", ":1: pub has no such option: levl; did you mean level?"},
      {"level", ":1: level: expected N after it"},
      {"loud perhaps", ":1: loud: expected true or false, got \"perhaps\""},
      {"profile x", ":1: profile: an options file cannot hold this option"},
      {"help", ":1: help: an options file cannot hold this option"},
      {"[server]", ":1: expected [pub] or [sub], got \"[server]\""},
      {"left a\nright b", ":2: right: only one of them can be given"},
      {"secret=", ":1: secret: expected a word"},
  };
  for (const auto& [text, complaint] : table) {
    const auto file = folder_.write("lab.conf", text);
    try {
      read_with({"-o", file});
      ADD_FAILURE() << "no complaint where one was due: " << complaint;
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find(file.string() + complaint), std::string::npos) << error.what();
    }
  }
}

TEST_F(Files, LinesOfTheOtherToolAreNotRead) {
  const auto file = folder_.write("lab.conf", "name both\n[sub]\nnonsense\n[pub]\nlevel = 3\n");
  read_with({"-o", file});
  EXPECT_EQ(sample_.name, "both");
  EXPECT_EQ(sample_.level, 3);
}

}  // namespace
}  // namespace sistem
