// The completions in the shells that they are for. What is typed here is typed on a terminal, with its tabs; what the
// shell made of it is printed by a function in the tool's place.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "tests/integration/tools.hpp"
#include "tests/support/temporary.hpp"

namespace sistem::test {
namespace {

bool has(const std::string& program) {
  for (const char* folder : {"/usr/bin/", "/bin/", "/usr/local/bin/"}) {
    if (::access((folder + program).c_str(), X_OK) == 0) {
      return true;
    }
  }
  return false;
}

const char* executable(const std::string& tool) { return tool == "pub" ? PUB : SUB; }

class InShell : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!has(shell()) || !has("script")) {
      GTEST_SKIP() << shell() << " or script is not installed (tests/run installs them)";
    }
    for (const std::string tool : {"pub", "sub"}) {
      const Result result = run({.command = {executable(tool), "--completion", shell()}});
      ASSERT_EQ(result.status, 0) << result.report;
      folder_.write(tool + ".script", result.out);
    }
    folder_.write("config/sistem/lab.conf", "host=broker.example\n");
    folder_.write("config/sistem/my home.conf", "host=broker.example\n");
    folder_.write("files/with blank.pem", "");
    folder_.write("files/other.pem", "");
    folder_.write("files/a folder/inside.pem", "");
  }

  static std::string shell() { return GetParam(); }
  [[nodiscard]] std::string script(const std::string& tool) const {
    return (folder_.path() / tool).string() + ".script";
  }

  [[nodiscard]] Start in_folder(std::vector<std::string> command) const {
    return {.command = std::move(command),
            .environment = {{"XDG_CONFIG_HOME", (folder_.path() / "config").string()},
                            {"XDG_DATA_HOME", (folder_.path() / "data").string()},
                            {"TERM", "dumb"},
                            {"LC_ALL", "C.UTF-8"}},
            .directory = (folder_.path() / "files").string()};
  }

  TemporaryFolder folder_;
};

// The scripts themselves --------------------------------------------------------------------------------------

TEST_P(InShell, TheScriptsAreWellFormed) {
  for (const char* tool : {"pub", "sub"}) {
    const Result result = run(in_folder({shell(), "-n", script(tool)}));
    EXPECT_EQ(result.status, 0) << result.report;
    EXPECT_EQ(result.err, "") << result.report;
  }
}

TEST(Completion, ShellcheckHasNothingToSayOfTheScriptForBash) {
  if (!has("shellcheck")) {
    GTEST_SKIP() << "shellcheck is not installed (tests/run installs it)";
  }
  const TemporaryFolder folder;
  for (const char* tool : {PUB, SUB}) {
    const auto script = folder.write("script", run({.command = {tool, "--completion", "bash"}}).out);
    const Result result = run({.command = {"shellcheck", "--shell=bash", script.string()}});
    EXPECT_EQ(result.status, 0) << result.report;
  }
}

// bash and zsh: typed on a terminal ---------------------------------------------------------------------------

class Typed : public InShell {
 protected:
  using Words = std::vector<std::string>;

  /// With what words the tool is started by each of the lines, typed one after the other: "<-q><1>".
  [[nodiscard]] Words words(const Words& lines) const {
    const bool bash = shell() == "bash";
    std::string typed = bash ? "PS1=\n" : "unsetopt prompt_cr prompt_sp; PS1=; autoload -Uz compinit; compinit -u -D\n";
    for (const std::string tool : {"pub", "sub"}) {
      typed += "source " + script(tool) + "\n";
      // The mark is put together here, so that the echo of this line is not taken for it.
      typed += tool + "() { if [ \"$1\" = --complete ]; then " + executable(tool) +
               " \"$@\"; else printf 'ST%s' ART; printf '<%s>' \"$@\"; printf 'E%s\\n' ND; fi; }\n";
    }
    for (const std::string& line : lines) {
      typed += line + "\n";
    }
    const std::string start = bash ? "bash --norc --noprofile -i" : "zsh -f -i";
    const Result result =
        run(in_folder({"script", "-qec", start, "/dev/null"}), typed + "exit\n", std::chrono::seconds(60));
    Words all;
    for (std::size_t at = result.out.find("START"); at != std::string::npos; at = result.out.find("START", at + 1)) {
      const std::size_t begin = at + std::string("START").size();
      all.push_back(result.out.substr(begin, result.out.find("END", begin) - begin));
    }
    EXPECT_EQ(all.size(), lines.size()) << result.report;
    return all;
  }
};

TEST_P(Typed, ALongNameIsCompleted) {
  EXPECT_EQ(words({"pub --null-m\t", "sub --skip-r\t--pre\t"}),
            (Words{"<--null-message>", "<--skip-retained><--pretty>"}));
}

TEST_P(Typed, AValueOfASetIsCompletedAfterEachFormOfItsName) {
  EXPECT_EQ(words({"pub --completion f\t", "pub --completion=f\t", "pub -V mqttv5\t", "pub -rV mqttv311\t",
                   "sub --retain-handling nev\t"}),
            (Words{"<--completion><fish>", "<--completion=fish>", "<-V><mqttv5>", "<-rV><mqttv311>",
                   "<--retain-handling><never>"}));
}

TEST_P(Typed, AFileIsCompletedWithTheBlankInItsName) {
  EXPECT_EQ(words({"pub --cafile wi\t", "pub --cafile=wi\t", "pub -f oth\t"}),
            (Words{"<--cafile><with blank.pem>", "<--cafile=with blank.pem>", "<-f><other.pem>"}));
}

TEST_P(Typed, AFolderIsCompletedWhereAFolderIsMeant) {
  folder_.write("files/b file", "");
  folder_.write("files/b folder/inside.pem", "");
  // bash leaves the slash that invites to go on, zsh takes it away at the end of the line.
  const std::string slash = shell() == "bash" ? "/" : "";
  EXPECT_EQ(words({"pub --capath b\t", "pub --capath=a\t"}),
            (Words{"<--capath><b folder" + slash + ">", "<--capath=a folder" + slash + ">"}));
}

TEST_P(Typed, AProfileIsCompletedByAskingTheTool) {
  EXPECT_EQ(words({"pub --profile la\t", "sub --profile my\t"}), (Words{"<--profile><lab>", "<--profile><my home>"}));
}

TEST_P(Typed, AToolThatIsCalledByItsPathIsCompletedToo) {
  const auto tool = folder_.write("files/pub", "#!/bin/sh\nif [ \"$1\" = --complete ]; then exec " + std::string(PUB) +
                                                   " \"$@\"; fi\nprintf START; printf '<%s>' \"$@\"; echo END\n");
  std::filesystem::permissions(tool, std::filesystem::perms::owner_all);
  EXPECT_EQ(words({"./pub --null-m\t", "./pub --profile my\t"}), (Words{"<--null-message>", "<--profile><my home>"}));
}

TEST_P(Typed, ATopicOfHelpIsCompletedAfterABlankOrAnEqualsSign) {
  EXPECT_EQ(words({"pub --help differ\t", "pub --help=differ\t", "sub --help will-pay\t"}),
            (Words{"<--help><differences>", "<--help=differences>", "<--help><will-payload>"}));
}

TEST_P(Typed, APropertyIsCompletedWordByWord) {
  EXPECT_EQ(words({"pub -D publ\tcont\ttext/plain --null-m\t", "sub --property subs\tsubscription-\t7"}),
            (Words{"<-D><publish><content-type><text/plain><--null-message>",
                   "<--property><subscribe><subscription-identifier><7>"}));
}

TEST_P(Typed, AnOptionIsOfferedOnceUnlessItAddsUp) {
  EXPECT_EQ(words({"pub --null-message --null-m\t", "sub -U 'a b' --unsubs\t"}),
            (Words{"<--null-message><--null-m>", "<-U><a b><--unsubscribe>"}));
}

TEST_P(Typed, AnAliasTakesItsValueThoughItIsNotOffered) {
  EXPECT_EQ(words({"pub --pw secret --null-m\t"}), Words{"<--pw><secret><--null-message>"});
}

TEST_P(Typed, NothingInTheLineIsRunByAskingTheTool) {
  EXPECT_EQ(words({"pub -m \"$(echo once | tee -a ran)\" --null-m\t"}), Words{"<-m><once><--null-message>"});
  EXPECT_EQ(std::filesystem::file_size(folder_.path() / "files/ran"), std::string("once\n").size());
}

INSTANTIATE_TEST_SUITE_P(Completion, Typed, testing::Values("bash", "zsh"),
                         [](const auto& instance) { return std::string(instance.param); });

// fish tells what it would offer ------------------------------------------------------------------------------

class Offered : public InShell {
 protected:
  /// What is offered for a line and begins as its last word does, without descriptions; blanks in a name as in the
  /// shell's own list. fish 4 also offers what merely holds the word.
  [[nodiscard]] std::vector<std::string> offers(const std::string& line) const {
    const std::string tool = line.substr(0, 3);
    Start start = in_folder({"fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", script(tool), line});
    const std::string tools = std::string(PUB).substr(0, std::string(PUB).rfind('/'));
    start.environment["PATH"] =
        tools + ":" + std::string(SUB).substr(0, std::string(SUB).rfind('/')) + ":/usr/bin:/bin";
    const Result result = run(start);
    EXPECT_EQ(result.err, "") << result.report;
    std::vector<std::string> all;
    std::istringstream lines(result.out);
    const std::string word = line.substr(line.rfind(' ') + 1);
    for (std::string one; std::getline(lines, one);) {
      if (one.starts_with(word)) {
        all.push_back(one.substr(0, one.find('\t')));
      }
    }
    std::sort(all.begin(), all.end());
    return all;
  }
  using Words = std::vector<std::string>;
};

TEST_P(Offered, NamesAndLetters) {
  EXPECT_EQ(offers("pub --q"), (Words{"--qos", "--quiet"}));
  const Words letters = offers("pub -");
  for (const char* name : {"-q", "-t", "--topic", "--help"}) {
    EXPECT_TRUE(std::find(letters.begin(), letters.end(), name) != letters.end()) << name;
  }
  EXPECT_EQ(offers("pub oth"), Words{});
}

TEST_P(Offered, ValuesOfASet) {
  EXPECT_EQ(offers("pub --qos "), (Words{"0", "1", "2"}));
  EXPECT_EQ(offers("pub --qos="), (Words{"--qos=0", "--qos=1", "--qos=2"}));
  EXPECT_EQ(offers("pub -rq "), (Words{"0", "1", "2"}));
  EXPECT_EQ(offers("pub -t "), Words{});
}

TEST_P(Offered, FilesAndFolders) {
  EXPECT_EQ(offers("pub --cafile wi"), Words{"with blank.pem"});
  EXPECT_EQ(offers("pub --cafile=oth"), Words{"--cafile=other.pem"});
  EXPECT_EQ(offers("pub --capath "), Words{"a folder/"});
}

TEST_P(Offered, Profiles) {
  EXPECT_EQ(offers("pub --profile "), (Words{"lab", "my home"}));
  EXPECT_EQ(offers("sub --save-profile l"), Words{"lab"});
}

TEST_P(Offered, TopicsOfHelp) {
  EXPECT_EQ(offers("pub --help differ"), Words{"differences"});
  EXPECT_EQ(offers("pub --help=differ"), Words{"--help=differences"});
  EXPECT_EQ(offers("sub --help will-pay"), Words{"will-payload"});
}

TEST_P(Offered, Properties) {
  EXPECT_EQ(offers("pub -D publ"), Words{"publish"});
  EXPECT_EQ(offers("pub -D publish cont"), Words{"content-type"});
  EXPECT_EQ(offers("sub --property subscribe "), (Words{"subscription-identifier", "user-property"}));
}

INSTANTIATE_TEST_SUITE_P(Completion, Offered, testing::Values("fish"),
                         [](const auto& instance) { return std::string(instance.param); });

INSTANTIATE_TEST_SUITE_P(Completion, InShell, testing::Values("bash", "zsh", "fish"),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace sistem::test
