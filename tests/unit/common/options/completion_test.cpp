#include "common/options/completion.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/expect.hpp"

namespace sistem {
namespace {

/// A table with a row of every kind.
struct CompletedTool {
  std::string text_value;
  bool loud = false;
  std::vector<std::string> items;
  int level = 0;

  std::vector<Option> rows() {
    const auto completes = [&](const Signature& signature, Completes what) {
      return Option{signature, "What.", completed(text(text_value), what)};
    };
    return {
        {"-o, --odd WORD:X", "It's \"odd\": \\ [a]. Very.", text(text_value)},
        {"-l, --loud", "Loud. Very.", flag(loud)},
        {"-i, --item ITEM", "Adds up.", list(items), {.aliases = {"thing"}}},
        {"-v, --level N", "A level.", qos(level)},
        {"--maybe[=SECONDS]", "May be.", text(text_value)},
        completes("--file NAME", Completes::file),
        completes("--folder NAME", Completes::directory),
        completes("--profile NAME", Completes::profile),
        {"-D, --property PACKET NAME VALUE",
         "Words.",
         text(text_value),
         {.words = [](const std::vector<std::string>&) { return std::size_t{3}; }}},
        {"--old WORD", "Refused: it is old.", impossible("no")},
        {"--help[=TOPIC]", "Show this.", text(text_value)},
    };
  }
};

/// What the tool answers for a command line, of which the last word is being typed.
std::string completion_of(std::vector<std::string> line) {
  CompletedTool sample;
  line.insert(line.begin(), {"--complete", "--"});
  return completion_answer(line, sample.rows(), {.name = "sample", .drop_in_for = "other_sample"}, {}).value_or("none");
}

const std::string levels = "0\n1\n2\n";

TEST(Completion, AScriptIsForTheToolAndNothingElseIsInItsPlace) {
  for (const auto& [shell, script] : completion_scripts()) {
    expect_in(std::string(script),
              fmt::format("# {0} completion for @tool@; written by: @tool@ --completion {0}", shell));
  }
}

TEST(Completion, OnlyAScriptIsAnswered) {
  CompletedTool sample;
  const ToolText tool{.name = "sample", .drop_in_for = "other_sample"};
  using Words = std::vector<std::string>;
  for (const Words& line : {Words{}, Words{"--complete"}, Words{"--complete", "--"}, Words{"--complete", "bash", "--l"},
                            Words{"-l", "--complete", "--", "--l"}}) {
    EXPECT_EQ(completion_answer(line, sample.rows(), tool, {}), std::nullopt);
  }
}

TEST(Completion, OffersNamesWithTheirFirstSentence) {
  expect_in(completion_of({"--o"}),
            "words\n\n-o\tIt's \"odd\": \\ [a].\n--odd\tIt's \"odd\": \\ [a].\n-l\tLoud.\n--loud\tLoud.\n");
  EXPECT_EQ(completion_of({""}), completion_of({"--o"})) << "it is the shell that chooses";
  EXPECT_EQ(completion_of({"-o", "x", "--maybe", "--"}), completion_of({"-o", "--loud", "--maybe", "--"}));
}

TEST(Completion, OffersNeitherAliasesNorWhatIsRefused) {
  expect_not_in(completion_of({"--"}), "--thing");
  expect_not_in(completion_of({"--"}), "--old");
}

TEST(Completion, OffersAgainOnlyWhatAddsUp) {
  for (const auto& given :
       {std::vector<std::string>{"--loud", "--item", "x"}, {"--thing=x", "-l"}, {"-li", "x"}, {"-lix"}}) {
    auto line = given;
    line.emplace_back("--");
    expect_not_in(completion_of(line), "--loud");
    expect_in(completion_of(line), "-i\tAdds up.\n--item\tAdds up.\n");
    expect_in(completion_of(line), "--level");
  }
}

TEST(Completion, OffersValuesAfterEachFormOfAName) {
  EXPECT_EQ(completion_of({"--level", ""}), "words\n\n" + levels);
  EXPECT_EQ(completion_of({"-lv", "1"}), "words\n\n" + levels);
  EXPECT_EQ(completion_of({"--level=1"}), "words\n--level=\n" + levels);
  EXPECT_EQ(completion_of({"-lv1"}), "words\n-lv\n" + levels);
  EXPECT_EQ(completion_of({"--thing", ""}), "words\n\n") << "nothing is known of it";
  EXPECT_EQ(completion_of({"--old=x"}), "words\n--old=\n");
}

TEST(Completion, LeavesFilesAndFoldersToTheShell) {
  EXPECT_EQ(completion_of({"--file", "x"}), "files\n\n");
  EXPECT_EQ(completion_of({"--file=x"}), "files\n--file=\n");
  EXPECT_EQ(completion_of({"--folder", "x"}), "folders\n\n");
}

TEST(Completion, APropertyHasAPacketThenAName) {
  expect_in(completion_of({"-D", ""}), "words\n\nconnect\n");
  expect_in(completion_of({"-D", "publish", ""}), "\ncontent-type\n");
  expect_in(completion_of({"-D", "publish", "content-type", "x", "--property="}), "words\n--property=\nconnect\n");
  EXPECT_EQ(completion_of({"-D", "publish", "content-type", ""}), "words\n\n");
  EXPECT_EQ(completion_of({"-D", "publish", "content-type", "x", "--"}),
            completion_of({"--property", "a", "b", "c", "--"}));
}

TEST(Completion, HelpTakesATopicBehindABlankToo) {
  expect_in(completion_of({"--help="}), "words\n--help=\n");
  expect_in(completion_of({"--help="}), "\nsecrets\n");
  expect_in(completion_of({"--help", "lev"}), "\nlevel\n");
  expect_in(completion_of({"--help", "-"}), "\n--level\t");
}

}  // namespace
}  // namespace sistem
