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
std::string answer(std::vector<std::string> line) {
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
  expect_in(answer({"--o"}),
            "words\n\n-o\tIt's \"odd\": \\ [a].\n--odd\tIt's \"odd\": \\ [a].\n-l\tLoud.\n--loud\tLoud.\n");
  EXPECT_EQ(answer({""}), answer({"--o"})) << "it is the shell that chooses";
  EXPECT_EQ(answer({"-o", "x", "--maybe", "--"}), answer({"-o", "--loud", "--maybe", "--"}));
}

TEST(Completion, OffersNeitherAliasesNorWhatIsRefused) {
  expect_not_in(answer({"--"}), "--thing");
  expect_not_in(answer({"--"}), "--old");
}

TEST(Completion, OffersAgainOnlyWhatAddsUp) {
  for (const auto& given :
       {std::vector<std::string>{"--loud", "--item", "x"}, {"--thing=x", "-l"}, {"-li", "x"}, {"-lix"}}) {
    auto line = given;
    line.emplace_back("--");
    expect_not_in(answer(line), "--loud");
    expect_in(answer(line), "-i\tAdds up.\n--item\tAdds up.\n");
    expect_in(answer(line), "--level");
  }
}

TEST(Completion, OffersValuesAfterEachFormOfAName) {
  EXPECT_EQ(answer({"--level", ""}), "words\n\n" + levels);
  EXPECT_EQ(answer({"-lv", "1"}), "words\n\n" + levels);
  EXPECT_EQ(answer({"--level=1"}), "words\n--level=\n" + levels);
  EXPECT_EQ(answer({"-lv1"}), "words\n-lv\n" + levels);
  EXPECT_EQ(answer({"--thing", ""}), "words\n\n") << "nothing is known of it";
  EXPECT_EQ(answer({"--old=x"}), "words\n--old=\n");
}

TEST(Completion, LeavesFilesAndFoldersToTheShell) {
  EXPECT_EQ(answer({"--file", "x"}), "files\n\n");
  EXPECT_EQ(answer({"--file=x"}), "files\n--file=\n");
  EXPECT_EQ(answer({"--folder", "x"}), "folders\n\n");
}

TEST(Completion, APropertyHasAPacketThenAName) {
  expect_in(answer({"-D", ""}), "words\n\nconnect\n");
  expect_in(answer({"-D", "publish", ""}), "\ncontent-type\n");
  expect_in(answer({"-D", "publish", "content-type", "x", "--property="}), "words\n--property=\nconnect\n");
  EXPECT_EQ(answer({"-D", "publish", "content-type", ""}), "words\n\n");
  EXPECT_EQ(answer({"-D", "publish", "content-type", "x", "--"}), answer({"--property", "a", "b", "c", "--"}));
}

TEST(Completion, HelpTakesATopicBehindABlankToo) {
  expect_in(answer({"--help="}), "words\n--help=\n");
  expect_in(answer({"--help="}), "\nsecrets\n");
  expect_in(answer({"--help", "lev"}), "\nlevel\n");
  expect_in(answer({"--help", "-"}), "\n--level\t");
}

}  // namespace
}  // namespace sistem
