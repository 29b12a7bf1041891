// What `cmake --install` puts where, whether man can read it, and whether the loader finds in a tool what is linked in.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "tests/integration/tools.hpp"
#include "tests/support/temporary.hpp"

namespace sistem::test {
namespace {

namespace fs = std::filesystem;

std::set<std::string> files_in(const fs::path& folder) {
  std::set<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_directory()) {
      files.insert(fs::relative(entry.path(), folder).string());
    }
  }
  return files;
}

std::string content(const fs::path& file) {
  std::ifstream stream(file);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::set<std::string> files_of(const std::string& tool) {
  return {"bin/" + tool, "share/man/man1/" + tool + ".1", "share/bash-completion/completions/" + tool,
          "share/zsh/site-functions/_" + tool, "share/fish/vendor_completions.d/" + tool + ".fish"};
}

TEST(Install, PutsToolsPagesAndCompletionsInTheirPlaces) {
  const TemporaryFolder folder;
  const Result result = run({.command = {CMAKE, "--install", BINARY_DIR, "--prefix", folder.path().string()}});
  ASSERT_EQ(result.status, 0) << result.report;
  std::set<std::string> expected = files_of("pub");
  expected.merge(files_of("sub"));
  EXPECT_EQ(files_in(folder.path()), expected);
}

TEST(Install, CanBeOfOneToolAlone) {
  const TemporaryFolder folder;
  const Result result =
      run({.command = {CMAKE, "--install", BINARY_DIR, "--component", "sub", "--prefix", folder.path().string()}});
  ASSERT_EQ(result.status, 0) << result.report;
  EXPECT_EQ(files_in(folder.path()), files_of("sub"));
}

TEST(Install, WritesWhatTheToolsThemselvesSay) {
  const TemporaryFolder folder;
  ASSERT_EQ(run({.command = {CMAKE, "--install", BINARY_DIR, "--prefix", folder.path().string()}}).status, 0);
  for (const auto& [tool, executable] : {std::pair{"pub", PUB}, std::pair{"sub", SUB}}) {
    const fs::path share = folder.path() / "share";
    const auto said = [&](const std::vector<std::string>& arguments) {
      Start start{.command = {executable}};
      start.command.insert(start.command.end(), arguments.begin(), arguments.end());
      return run(start).out;
    };
    EXPECT_EQ(content(share / "man/man1" / (std::string(tool) + ".1")), said({"--man"}));
    EXPECT_EQ(content(share / "bash-completion/completions" / tool), said({"--completion", "bash"}));
    EXPECT_EQ(content(share / "zsh/site-functions" / ("_" + std::string(tool))), said({"--completion", "zsh"}));
    EXPECT_EQ(content(share / "fish/vendor_completions.d" / (std::string(tool) + ".fish")),
              said({"--completion", "fish"}));
  }
}

class ManPage : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (::access("/usr/bin/man", X_OK) != 0) {
      GTEST_SKIP() << "man is not installed (tests/run installs it)";
    }
  }
  /// The page as man shows it on 80 columns.
  [[nodiscard]] static Result rendered() {
    const TemporaryFolder folder;
    const Result page = run({.command = {GetParam(), "--man"}});
    const fs::path file = folder.write("page.1", page.out);
    return run({.command = {"man", "--warnings", "-E", "UTF-8", "-P", "cat", "-l", file.string()},
                .environment = {
                    {"MANWIDTH", "80"}, {"LC_ALL", "C.UTF-8"}, {"GROFF_NO_SGR", "1"}, {"MAN_DISABLE_SECCOMP", "1"}}});
  }
};

TEST_P(ManPage, IsReadByGroffWithoutAWarning) {
  const Result result = rendered();
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_EQ(result.err, "") << result.report;
}

TEST_P(ManPage, ShowsEveryOptionAndFitsItsColumns) {
  const Result result = rendered();
  const std::string help = run({.command = {GetParam(), "--help"}}).out;
  const std::regex row("\n  (?:-., |    )(--[a-z0-9-]+)");
  std::size_t count = 0;
  for (std::sregex_iterator at(help.begin(), help.end(), row), end; at != end; ++at, ++count) {
    // At the beginning of its entry, and with dashes that can be pasted into a shell.
    EXPECT_TRUE(std::regex_search(result.out, std::regex("\n +(-., )?" + std::string((*at)[1]) + "[ \n\\[]")))
        << (*at)[1];
  }
  EXPECT_GT(count, 40U);
  std::istringstream lines(result.out);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(std::count_if(line.begin(), line.end(),
                            [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }),
              80)
        << line;
  }
}

TEST_P(ManPage, ShowsCharactersThatRoffHasOtherUsesForAsTheyAre) {
  const std::string page = rendered().out;
  const bool is_pub = std::string(GetParam()) == PUB;
  EXPECT_NE(page.find(is_pub ? "pub -t sistem/suhu -m '28.0 °C' -r -q 1" : "\\\\ \\0 \\a \\e \\n \\r \\t \\v"),
            std::string::npos)
      << page;
  EXPECT_NE(page.find("~/.config/sistem"), std::string::npos);
  EXPECT_NE(page.find("-D connect user-property floor \"second floor\""), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Tools, ManPage, testing::Values(PUB, SUB),
                         [](const auto& instance) { return std::string(instance.param) == PUB ? "pub" : "sub"; });

// A name that it found in the library instead would be of another Paho, which knows nothing of the first one's clients.
TEST(Loading, FindsPahoCInTheToolWhereItIsLinkedIn) {
  for (const char* executable : {PUB, SUB}) {
    const Result result =
        run({.command = {executable, "--version"}, .environment = {{"LD_DEBUG", "bindings"}, {"LD_BIND_NOW", "1"}}});
    ASSERT_EQ(result.status, 0) << result.report;
    const bool is_linked_in = result.out.find("linked in") != std::string::npos;
    const std::regex binding(R"(binding file \S*/libpaho-mqttpp3\S* \[0\] to (\S+) \[0\]: normal symbol `(MQTT\w+)')");
    const bool is_loaded = result.err.find("libpaho-mqttpp3") != std::string::npos;
    EXPECT_EQ(std::regex_search(result.err, binding), is_loaded);
    for (std::sregex_iterator at(result.err.begin(), result.err.end(), binding); at != std::sregex_iterator(); ++at) {
      EXPECT_EQ((*at)[1] == executable, is_linked_in) << (*at)[0];
    }
  }
}

}  // namespace
}  // namespace sistem::test
