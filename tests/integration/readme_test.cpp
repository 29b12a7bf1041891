// The README is the product's face: what it tells people to type is typed here, or by whoever this file names.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "common/process/error.hpp"
#include "tests/integration/tools.hpp"

namespace sistem::test {
namespace {

/// The README's blocks of commands, each as one script.
std::vector<std::string> command_blocks() {
  std::ifstream readme(SOURCE_DIR "/README.md");
  std::vector<std::string> blocks;
  bool inside = false;
  for (std::string line; std::getline(readme, line);) {
    if (line.starts_with("```")) {
      inside = line == "```sh";
      if (inside) {
        blocks.emplace_back();
      }
    } else if (inside) {
      blocks.back() += line + "\n";
    }
  }
  return blocks;
}

/// Blocks that need what this test cannot give are run elsewhere: the lab's by the container tests, and the commands
/// that build, test and demonstrate by .ci/run.
bool is_run_elsewhere(const std::string& block) {
  for (const char* word : {"docker ", "sudo tcpdump", "compose/", "tcpdump -nr", "tests/run", "cmake --workflow"}) {
    if (block.starts_with(word)) {
      return true;
    }
  }
  return false;
}

/// A comment "# prints X and ..." promises a line X, "# N: ..." or "# N, ..." a status N that the example prints.
void expect_what_the_comments_say(const std::string& block, const Result& result) {
  std::istringstream lines(block);
  for (std::string line; std::getline(lines, line);) {
    const auto comment = line.find("  # ");
    if (comment == std::string::npos) {
      continue;
    }
    const std::string said = line.substr(comment + 4);
    if (said.starts_with("prints ")) {
      const std::string printed = said.substr(7, said.find(" and ") - 7) + "\n";
      EXPECT_NE(result.out.find(printed), std::string::npos) << line << "\n" << result.report;
    } else if (std::isdigit(static_cast<unsigned char>(said.front())) != 0) {
      const std::string status = "status " + said.substr(0, said.find_first_of(":,")) + "\n";
      EXPECT_NE(result.out.find(status), std::string::npos) << line << "\n" << result.report;
    }
  }
}

class Readme : public testing::Test {
 protected:
  void SetUp() override { NEEDS_MOSQUITTO(); }
};

TEST_F(Readme, ItsExamplesRunAndEndWell) {
  const Broker broker;
  const TemporaryFolder folder;
  int examples = 0;
  for (const std::string& block : command_blocks()) {
    if (is_run_elsewhere(block)) {
      continue;
    }
    ++examples;
    Start start = pub(broker, {});
    start.command = {"sh", "-e", "-c", block};
    start.directory = folder.path();
    const std::string tools = std::string(PUB).substr(0, std::string(PUB).rfind('/'));
    start.environment["XDG_CONFIG_HOME"] = folder.path();
    start.environment["PATH"] = tools + ":/usr/bin:/bin";
    const Result result = run(start);
    EXPECT_EQ(result.status, 0) << result.report;
    expect_what_the_comments_say(block, result);
  }
  EXPECT_GE(examples, 5);
}

TEST_F(Readme, ItsTableOfExitStatusesHasEachOfThem) {
  std::ifstream readme(SOURCE_DIR "/README.md");
  const std::string text{std::istreambuf_iterator<char>(readme), {}};
  for (const ExitMeaning& meaning : exit_meanings()) {
    const std::string status = meaning.status == 128 ? "128+n" : std::to_string(meaning.status);
    const std::string line = "| " + status + " | " + std::string(meaning.meaning) + " |\n";
    EXPECT_NE(text.find(line), std::string::npos) << line;
  }
}

TEST_F(Readme, TheScriptThatItShowsIsTheOneThatIsTested) {
  const auto text = [](const char* file) {
    std::ifstream stream(file);
    return std::string{std::istreambuf_iterator<char>(stream), {}};
  };
  const std::string script = text(SOURCE_DIR "/compose/simulate");
  const std::string begin = "set -eu\n\n";
  const auto at = script.find(begin);
  ASSERT_NE(at, std::string::npos);
  EXPECT_NE(text(SOURCE_DIR "/README.md").find("```shell\n" + script.substr(at + begin.size()) + "```\n"),
            std::string::npos);
}

std::string text_of_file(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// All that a pattern with one group finds, as "A.B" where it has two.
std::set<std::string> found(const std::string& text, const char* pattern) {
  std::set<std::string> all;
  const std::regex regex(pattern);
  for (auto at = std::sregex_iterator(text.begin(), text.end(), regex); at != std::sregex_iterator(); ++at) {
    all.insert(at->str(1) + "." + at->str(2));
  }
  return all;
}

// A promise is worth as much as the test that shows it.
TEST(Docs, EachTestThatAPromiseNamesIsThere) {
  std::set<std::string> there;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(SOURCE_DIR "/tests")) {
    if (entry.path().extension() == ".cpp") {
      there.merge(found(text_of_file(entry.path()), R"(TEST(?:_F|_P)?\((\w+),\s*(\w+)\))"));
    }
  }
  std::size_t named = 0;
  for (const auto& entry : std::filesystem::directory_iterator(SOURCE_DIR "/docs")) {
    for (const std::string& test : found(text_of_file(entry.path()), R"(`([A-Z]\w+)\.([A-Z]\w+)`)")) {
      EXPECT_TRUE(there.contains(test)) << entry.path() << " names " << test;
      ++named;
    }
  }
  EXPECT_GT(named, 20U);
}

}  // namespace
}  // namespace sistem::test
