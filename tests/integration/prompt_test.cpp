// ask_secret() on a real terminal, in a tool with the signals of run_tool().
#include <gtest/gtest.h>

#include <string>

#include "tests/support/process.hpp"
#include "tests/support/terminal.hpp"

namespace sistem::test {
namespace {

/// A shell that outlives the asker: the asker's terminal is there afterwards, and its state can be seen.
/// `command` is how the asker, $0, is started.
class Prompt : public testing::Test {
 protected:
  static std::vector<std::string> shell(const std::string& command) {
    return {"sh", "-c",
            "trap : INT TERM QUIT; stty -g; " + command +
                "; echo \"status $?\"; stty -g; read -r rest; echo \"rest <$rest>\"",
            ASKER};
  }

  /// Lets the shell come to its end, which says what the asker has left.
  static void expect_all_as_before(Terminal& terminal) {
    terminal.wait_for("\r\n");
    EXPECT_TRUE(terminal.echoes());
    terminal.type("\r");
    EXPECT_EQ(terminal.wait(), 0) << terminal.screen();
    EXPECT_NE(terminal.screen().find("rest <>"), std::string::npos) << terminal.screen();
    const std::string before = terminal.screen().substr(0, terminal.screen().find("\r\n"));
    EXPECT_NE(before, "");
    EXPECT_NE(terminal.screen().rfind(before), 0U) << "other attributes than before\n" << terminal.screen();
  }
};

TEST_F(Prompt, TheAnswerIsNotShown) {
  Terminal terminal{shell("\"$0\"")};
  terminal.wait_for("Password: ");
  EXPECT_FALSE(terminal.echoes());
  terminal.type("s3cret \xC2\xB0\r");
  terminal.wait_for("\r\nanswer: <\xB0\xC2 terc3s>");
  terminal.wait_for("status 0");
  EXPECT_EQ(terminal.screen().find("s3cret"), std::string::npos) << terminal.screen();
  expect_all_as_before(terminal);
}

TEST_F(Prompt, TypingMistakesCanBeTakenBack) {
  Terminal terminal{shell("\"$0\"")};
  terminal.wait_for("Password: ");
  terminal.type(
      "wrong\x15"
      "ab\x7F"
      "c\r");  // Ctrl-U, and Backspace
  terminal.wait_for("answer: <ca>");
  terminal.wait_for("status 0");
  expect_all_as_before(terminal);
}

TEST_F(Prompt, EnterAloneIsAnEmptyAnswer) {
  Terminal terminal{shell("\"$0\"")};
  terminal.wait_for("Password: ");
  terminal.type("\r");
  terminal.wait_for("answer: <>");
  terminal.wait_for("status 0");
  expect_all_as_before(terminal);
}

TEST_F(Prompt, CtrlDIsNoAnswer) {
  Terminal terminal{shell("\"$0\"")};
  terminal.wait_for("Password: ");
  terminal.type("\x04");
  terminal.wait_for("no answer");
  terminal.wait_for("status 1");
  expect_all_as_before(terminal);
}

TEST_F(Prompt, CtrlCEndsTheQuestionAndLeavesNothingTyped) {
  Terminal terminal{shell("\"$0\"")};
  terminal.wait_for("Password: ");
  terminal.type("half\x03");
  terminal.wait_for("no answer");
  terminal.wait_for("status 1");
  expect_all_as_before(terminal);
}

TEST_F(Prompt, ASignalFromElsewhereEndsTheQuestionAndLeavesNothingTyped) {
  Terminal terminal{shell("sh -c 'echo pid $$,; exec \"$0\"' \"$0\"")};
  terminal.wait_for("pid ");
  terminal.wait_for(",");
  const std::size_t at = terminal.screen().find("pid ") + 4;
  const int pid = std::stoi(terminal.screen().substr(at));
  terminal.wait_for("Password: ");
  terminal.type("half");
  ASSERT_EQ(::kill(pid, SIGTERM), 0);
  terminal.wait_for("no answer");
  terminal.wait_for("status 1");
  expect_all_as_before(terminal);
}

TEST_F(Prompt, CtrlZAndCtrlBackslashChangeNothing) {
  Terminal terminal{shell("\"$0\"")};
  terminal.wait_for("Password: ");
  terminal.type(
      "ab\x1A"
      "c\x1C"
      "d\r");
  terminal.wait_for("answer: <dcba>");
  terminal.wait_for("status 0");
  expect_all_as_before(terminal);
}

TEST_F(Prompt, TheQuestionGoesToTheTerminalWhereverStdinAndStdoutGo) {
  Terminal terminal{shell("echo line | \"$0\" | tr a-z A-Z")};
  terminal.wait_for("Password: ");
  terminal.type("abc\r");
  terminal.wait_for("ANSWER: <CBA>");
  terminal.wait_for("status 0");
  expect_all_as_before(terminal);
}

TEST_F(Prompt, NobodyIsAskedWhoDoesNotLookAtTheTerminal) {
  Terminal terminal{shell("\"$0\" </dev/null 2>/dev/null")};
  terminal.wait_for("no answer");
  terminal.wait_for("status 1");
  EXPECT_EQ(terminal.screen().find("Password"), std::string::npos) << terminal.screen();
}

TEST_F(Prompt, WithoutATerminalNobodyIsAsked) {
  const Result result = run({.command = {"setsid", "--wait", ASKER}});
  EXPECT_EQ(result.status, 1) << result.report;
  EXPECT_EQ(result.out, "no answer\n");
}

}  // namespace
}  // namespace sistem::test
