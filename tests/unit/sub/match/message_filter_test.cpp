#include "sub/match/message_filter.hpp"

#include <gtest/gtest.h>

#include "common/text/words.hpp"

namespace sistem {
namespace {

using namespace std::string_literals;

/// The payloads that are printed of those that come on one topic.
std::string printed(const MatchConfig& config, const std::vector<std::string>& payloads) {
  MessageFilter filter{config, 1};
  std::string all;
  for (const std::string& payload : payloads) {
    all += filter.choose({.topic = "a", .payload = payload}).printed ? payload + "|" : "";
  }
  return all;
}

TEST(MessageFilter, OneOfThePatternsIsEnoughAndAllConditionsMustHold) {
  MatchConfig config;
  config.match = {"^o", "w."};
  EXPECT_EQ(printed(config, {"one", "two", "three", "\xFF\0 wx"s}), "one|two|\xFF\0 wx|"s);
  config.match.clear();
  config.json_match = {"t > 1", "t < 3"};
  EXPECT_EQ(printed(config, {R"({"t":1})", R"({"t":2})", R"({"t":3})", "2", "no"}), R"({"t":2}|)");
}

TEST(MessageFilter, UniqueLeavesOutWhatATopicHadBefore) {
  MatchConfig config;
  config.unique = true;
  EXPECT_EQ(printed(config, {"1", "1", "2", "2", "1", "", ""}), "1|2|1||");
  MessageFilter filter{config, 1};
  EXPECT_TRUE(filter.choose({.topic = "a", .payload = "1"}).handled);
  EXPECT_TRUE(filter.choose({.topic = "b", .payload = "1"}).handled);
  EXPECT_FALSE(filter.choose({.topic = "a", .payload = "1"}).handled);
}

TEST(MessageFilter, UniqueKnowsSoManyTopicsAndThenBeginsAnew) {
  MatchConfig config;
  config.unique = true;
  MessageFilter filter{config, 1};
  for (std::size_t topic = 0; topic < MessageFilter::most_topics; ++topic) {
    ASSERT_TRUE(filter.choose({.topic = std::to_string(topic)}).handled);
  }
  EXPECT_FALSE(filter.choose({.topic = "0"}).handled);
  EXPECT_TRUE(filter.choose({.topic = "one more"}).handled);
  EXPECT_TRUE(filter.choose({.topic = "0"}).handled);
}

TEST(MessageFilter, ADryRunHandlesWhatWouldBeRemoved) {
  MatchConfig config;
  config.remove_retained = true;
  config.dry_run = true;
  config.skip_retained = true;
  MessageFilter filter{config, 1};
  EXPECT_TRUE(filter.choose({.topic = "a", .retain = true}).printed);
  EXPECT_FALSE(filter.choose({.topic = "a"}).handled);
}

TEST(MessageFilter, WhatDoesNotMatchIsNotRemoved) {
  MatchConfig config;
  config.remove_retained = true;
  config.match = {"old"};
  MessageFilter filter{config, 1};
  EXPECT_TRUE(filter.choose({.topic = "a", .payload = "old", .retain = true}).forgotten);
  EXPECT_FALSE(filter.choose({.topic = "a", .payload = "new", .retain = true}).forgotten);
  EXPECT_FALSE(filter.choose({.topic = "a", .payload = "old"}).forgotten);
}

TEST(MessageFilter, TheOneThatIsWaitedForIsPrintedWhateverChanceSays) {
  MatchConfig config;
  config.random_filter = 0.1;
  config.until = "done";
  MessageFilter filter{config, 1};
  const Choice choice = filter.choose({.topic = "a", .payload = "all done"});
  EXPECT_TRUE(choice.printed);
  EXPECT_TRUE(choice.is_last);
}

TEST(JsonCondition, SaysWhetherItHolds) {
  const std::string json = R"({"t": 31.5, "on": true, "n": null, "s": "b \"c\"", "a": [{"b": 1}, "x"], "o": {"k": 1}})";
  const std::pair<std::string, bool> table[] = {
      {"t", true},
      {"u", false},
      {"t > 30", true},
      {"t>31.5", false},
      {"t >= 31.5", true},
      {"t < 30", false},
      {"t <= 31.5", true},
      {"t == 31.50", true},
      {"t != 31.5", false},
      {"u != 1", false},
      {"t == \"31.5\"", false},
      {"on == true", true},
      {"n == null", true},
      {"n", true},
      {"s == \"b \\\"c\\\"\"", true},
      {"s > \"a\"", true},
      {"s > 1", false},
      {"a.0.b == 1", true},
      {"a.2", false},
      {"a contains \"x\"", true},
      {"a contains 1", false},
      {"o contains \"k\"", true},
      {"s contains \"c\"", true},
      {"s ~ ^b.*c", true},
      {"t ~ ^31", true},
      {"o == 1", false},
      {"o != 1", true},
      {". contains \"t\"", true},
  };
  for (const auto& [expression, holds] : table) {
    EXPECT_EQ(JsonCondition{expression}.holds(json), holds) << expression;
  }
  EXPECT_TRUE(JsonCondition{". > 30"}.holds(" 31 "));
  // A number that no double holds, and no long double, is one all the same.
  const std::string large = R"({"t":31,"max":-1E9999,"s":"e\"1","list":[1e400,1e-400,-0.5e+3]})";
  for (const char* expression : {"t > 30", "max < -1", "list.0 > 30", "list.1 < 1", "list.2 == -500"}) {
    EXPECT_TRUE(JsonCondition{expression}.holds(large)) << expression;
  }
  for (const char* payload : {"[1e400,]", "[01,1e400]", "[1e400,1.]", "[1e400,1e]", "[1e400,-]", "[1e400 1]"}) {
    EXPECT_FALSE(JsonCondition{"."}.holds(payload)) << payload;
  }
  for (const auto& payload : {""s, "hello"s, "{\"t\":1"s, "{\"t\":\"\xFF\"}"s, "1\0"s}) {
    EXPECT_FALSE(JsonCondition{"t"}.holds(payload)) << payload;
  }
}

TEST(JsonCondition, SaysWhereItIsWrong) {
  const std::pair<std::string, std::string> table[] = {
      {"", "expected the way to a field, as suhu or sensors.0.value, at character 1"},
      {"a..b > 1", "expected names and numbers with dots between them, as in sensors.0.value at character 1"},
      {"°a = 1", "expected ==, !=, <, <=, >, >=, ~ or contains at character 4"},
      {"a > ", "expected a number, or text in double quotes, at character 4"},
      {"a > true", "expected a number, or text in double quotes, at character 5"},
      {"a == on", "expected a number, true, false, null, or text in double quotes, at character 6"},
      {"a ~ (", "expected a regular expression: missing ): ( at character 5"},
  };
  for (const auto& [expression, complaint] : table) {
    try {
      (void)JsonCondition{expression};
      ADD_FAILURE() << expression << " was taken";
    } catch (const Expected& expected) {
      EXPECT_EQ(expected.what(), complaint) << expression;
    }
  }
}

TEST(JsonText, KeepsTheSpellingOfWhatItFinds) {
  const std::string json = R"({"a":27.0,"b":[1, {"c":"}\"]"}],"\u0061":12345678901234567890123})";
  EXPECT_EQ(JsonPath{"a"}.find(json), "12345678901234567890123");  // the last of two
  EXPECT_EQ(JsonPath{"b.1"}.find(json), R"({"c":"}\"]"})");
  EXPECT_EQ(JsonPath{".b.1.c"}.find(json), R"("}\"]")");
  EXPECT_EQ(JsonPath{"b.0.c"}.find(json), std::nullopt);
  EXPECT_EQ(JsonPath{"."}.find(" [] "), "[]");
  EXPECT_EQ(JsonPath{"a"}.find("{}"), std::nullopt);
}

}  // namespace
}  // namespace sistem
