#include "common/options/completion.hpp"

#include <gtest/gtest.h>

#include "common/mqtt/property.hpp"
#include "tests/support/expect.hpp"

namespace sistem {
namespace {

/// Options whose texts hold all that a shell could take for its own.
struct CompletedTool {
  std::string text_value;
  bool loud = false;
  std::vector<std::string> items;
  int level = 0;

  std::vector<Option> rows() {
    return table_of(
        {{"It's",
          {{"-o, --odd WORD:X", "It's \"odd\": `x` $(y) ${z} [a] {b} \\ * ? <c> | & ; ! # %.", text(text_value)},
           {"-l, --loud", "Loud. Very.", flag(loud)},
           {"-i, --item ITEM", "Adds up.", list(items), {.aliases = {"thing"}}},
           {"--level N", "A level.", qos(level)},
           {"--maybe[=SECONDS]", "May be.", text(text_value)}}}});
  }
};

std::string script(const std::string& shell) {
  CompletedTool sample;
  return completion_script(shell, sample.rows(),
                           {.name = "sample",
                            .summary = "",
                            .description = "",
                            .examples = "",
                            .drop_in_for = "other_sample",
                            .libraries = nullptr});
}

TEST(Completion, IsForTheToolAndNeverForTheOneItStandsInFor) {
  expect_in(script("bash"), "\ncomplete -F _sample_complete sample\n");
  EXPECT_TRUE(script("zsh").starts_with("#compdef sample\n"));
  expect_in(script("fish"), "\ncomplete -c sample ");
  for (const std::string& shell : completion_shells()) {
    EXPECT_EQ(script(shell).find("other_sample"), std::string::npos) << shell;
    EXPECT_EQ(script(shell).find('@' + std::string("tool")), std::string::npos) << shell;
  }
}

TEST(Completion, DescriptionsAreQuotedForEachShell) {
  expect_in(script("zsh"), R"([It'\''s "odd": `x` $(y) ${z} \[a\] {b} \\ * ? <c> | & ; ! # %.]:WORD\:X: ')");
  expect_in(script("fish"), R"(-d 'It\'s "odd": `x` $(y) ${z} [a] {b} \\ * ? <c> | & ; ! # %.')");
}

TEST(Completion, KnowsWhichOptionsTakeAValue) {
  expect_in(script("bash"), "-o | --odd) option=odd wants=1 ;;");
  expect_in(script("bash"), "-l | --loud) option=loud wants=0 ;;");
  expect_in(script("bash"), "-i | --item | --thing) option=item wants=1 ;;");
  expect_in(script("bash"), "--maybe) option=maybe wants=0 ;;");
  expect_in(script("zsh"), "'(-l --loud)--loud[Loud.]'");
  expect_in(script("zsh"), "'(--maybe)--maybe=-[May be.]::SECONDS: '");
  expect_in(script("fish"), "complete -c sample -s l -l loud -d 'Loud.'\n");
}

TEST(Completion, OffersAgainOnlyWhatAddsUp) {
  expect_in(script("bash"), "_sample_offer_option again item -i --item\n");
  expect_in(script("bash"), "_sample_offer_option once level --level\n");
  expect_in(script("zsh"), "'*--item=[Adds up.]:ITEM: '");
  expect_in(script("zsh"), "'!*--thing=[Adds up.]:ITEM: '");
}

TEST(Completion, OffersTheWordsThatAValueMayBe) {
  expect_in(script("bash"), "    level) _sample_offer '0' '1' '2' ;;\n");
  expect_in(script("zsh"), "--level=[A level.]:N:(0 1 2)'");
  expect_in(script("fish"), "-l level -x -a '0 1 2' ");
}

}  // namespace
}  // namespace sistem
