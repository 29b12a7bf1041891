// The guide, done for real: what it tells a student to type is typed here, at terminals like the student's, and what it
// says is to be seen has to be seen.
//
// A block of commands begins with `# Terminal N`. At terminal 1 each command ends by itself, with status 0; at the
// others the last one stays until a block says `# Terminal N: Ctrl-C`. A block of text says what the terminal before it
// shows, or with `# Terminal N` as its first line another one: these lines, in this order, with others between them,
// and with anything for each "...".
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <regex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/containers/lab.hpp"
#include "tests/support/process.hpp"

namespace sistem::test {
namespace {

using Clock = std::chrono::steady_clock;

struct Block {
  enum class Kind { typed, pressed, shown };
  Kind kind;
  int terminal;
  Words lines;
  std::string heading;  ///< under which it stands
};

/// Throws where a block does not keep to the rules above.
std::vector<Block> blocks_of(const std::string& file) {
  static const std::regex first{"# Terminal ([1-9])(: Ctrl-C)?"};
  std::vector<Block> blocks;
  std::string heading;
  std::string fence;
  int terminal = 1;
  bool begins = false;
  for (const std::string& line : lines(content(std::filesystem::path{SOURCE_DIR} / "compose" / file))) {
    if (line.starts_with("```")) {
      fence = fence.empty() ? line : "";
      begins = !fence.empty();
    } else if (fence == "```sh" || fence == "```text") {
      std::smatch match;
      const bool named = begins && std::regex_match(line, match, first);
      if (named) {
        terminal = std::stoi(match[1]);
      } else if (begins && fence == "```sh") {
        throw std::runtime_error("whose terminal is it? " + line);
      }
      if (begins) {
        const bool pressed = named && match[2].matched;
        const Block::Kind kind =
            fence == "```text" ? Block::Kind::shown : (pressed ? Block::Kind::pressed : Block::Kind::typed);
        blocks.push_back({kind, terminal, {}, heading});
      }
      if (!named && !line.empty()) {
        blocks.back().lines.push_back(line);
      }
      begins = false;
    } else if (fence.empty() && line.starts_with("#")) {
      heading = line;
    }
  }
  if (blocks.empty()) {
    throw std::runtime_error("no commands in " + file);
  }
  return blocks;
}

/// Each run of blanks and tabs as one blank, none at the ends.
std::string plain(const std::string& text) {
  static const std::regex blanks{"[ \\t]+"};
  static const std::regex ends{"^ | $"};
  return std::regex_replace(std::regex_replace(text, blanks, " "), ends, "");
}

/// Whether a line holds the parts of a pattern that stand between its "...", one after the other.
bool fits(const std::string& line, const std::string& pattern) {
  const std::string text = plain(line);
  std::string::size_type from = 0;
  std::string::size_type at = 0;
  while (at <= pattern.size()) {
    const std::string::size_type end = std::min(pattern.find("...", at), pattern.size());
    const std::string part = plain(pattern.substr(at, end - at));
    from = text.find(part, from);
    if (from == std::string::npos) {
      return false;
    }
    from += part.size();
    at = end + 3;
  }
  return true;
}

/// One of the student's terminals, with a shell that says after each command what its status was.
class Shell {
 public:
  Shell() : process_{typed({"script", "-qefc", "bash --norc --noprofile --noediting -i", "/dev/null"})} {
    process_.write("stty -echo; PS1= PS2=; PROMPT_COMMAND='echo \"[status $?]\"'\n");
    if (status() != 0) {
      throw std::runtime_error("no shell\n" + process_.report());
    }
  }

  /// What it has shown so far is of no interest any more.
  void look_away() {
    process_.poll_output();
    seen_ = screen().size();
  }

  void type(const std::string& command) {
    begun_ = process_.out().size();
    process_.write(command + "\n");
  }

  void press_ctrl_c() { process_.write("\003"); }

  /// Waits for the end of what was typed last.
  int status() {
    static const std::regex said{R"(\[status (\d+)\])"};
    std::smatch match;
    std::string after;
    wait_until("the command's end", building, [&] {
      after = process_.out().substr(begun_);
      return std::regex_search(after, match, said);
    });
    return std::stoi(match[1]);
  }

  [[nodiscard]] std::string report() const { return process_.report(); }

  /// Waits for a line, after those that were waited for before it.
  void shows(const std::string& pattern, std::chrono::seconds limit) {
    wait_until(pattern, limit, [&] {
      const Words now = screen();
      const auto found = std::find_if(now.begin() + static_cast<std::ptrdiff_t>(std::min(seen_, now.size())), now.end(),
                                      [&](const std::string& line) { return fits(line, pattern); });
      seen_ = found == now.end() ? seen_ : static_cast<std::size_t>(found - now.begin()) + 1;
      return found != now.end();
    });
  }

 private:
  /// Its lines so far, without colours.
  [[nodiscard]] Words screen() const {
    static const std::regex control{"\x1B\\[[0-9;?]*[A-Za-z]|\r"};
    return lines(std::regex_replace(process_.out(), control, ""));
  }

  template <typename Condition>
  void wait_until(const std::string& what, std::chrono::seconds limit, Condition condition) {
    const Clock::time_point deadline = Clock::now() + limit;
    for (process_.poll_output(); !condition(); process_.poll_output()) {
      if (process_.ended() || Clock::now() >= deadline) {
        throw std::runtime_error("never came: " + what + "\n" + process_.report());
      }
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
  }

  Process process_;
  std::size_t begun_ = 0;  ///< how much was on the screen when the last command was typed: bytes,
  std::size_t seen_ = 0;   ///< and lines
};

/// The four terminals.
class Desk {
 public:
  void run(const Block& block) {
    const auto context = [&](const std::string& line) {
      return block.heading + "\nTerminal " + std::to_string(block.terminal) + ": " + line + "\n";
    };
    Shell& shell = terminals_[block.terminal];
    if (block.kind == Block::Kind::pressed) {
      shell.press_ctrl_c();
      if (const int status = shell.status(); status != 0) {
        throw std::runtime_error(context("Ctrl-C") + "status " + std::to_string(status) + "\n" + shell.report());
      }
      return;
    }
    for (const std::string& line : block.lines) {
      try {
        block.kind == Block::Kind::shown
            ? shell.shows(line, block.terminal == 1 ? std::chrono::seconds{0} : containers_patience)
            : run_command(shell, block, line);
      } catch (const std::exception& error) {
        throw std::runtime_error(context(line) + error.what());
      }
    }
  }

 private:
  static void run_command(Shell& shell, const Block& block, const std::string& command) {
    shell.status();  // what was typed before has ended
    if (&command == &block.lines.front()) {
      shell.look_away();
    }
    shell.type(command);
    if (block.terminal != 1 && &command == &block.lines.back()) {
      return;  // it stays
    }
    if (const int status = shell.status(); status != 0) {
      throw std::runtime_error("status " + std::to_string(status) + "\n" + shell.report());
    }
  }

  std::map<int, Shell> terminals_;
};

/// The lab is down before and after, and what the guide leaves behind goes.
class Guide : public testing::Test {
 protected:
  void SetUp() override {
    must(compose({"--profile", "secure", "down"}));
    for (const char* folder : {"lab-report", "compose/tls"}) {
      const std::filesystem::path path = std::filesystem::path{SOURCE_DIR} / folder;
      if (!std::filesystem::exists(path)) {
        left_behind_.push_back(path);
      }
    }
  }
  void TearDown() override {
    must(compose({"--profile", "secure", "down"}));
    for (const std::filesystem::path& path : left_behind_) {
      std::filesystem::remove_all(path);
    }
  }

 private:
  std::vector<std::filesystem::path> left_behind_;
};

/// The commands are the same in both languages, so each is run once; where they show something else, once for each.
TEST_F(Guide, EachOfItsCommandsDoesWhatItSays) {
  const std::vector<Block> indonesian = blocks_of("PRAKTIKUM.md");
  const std::vector<Block> english = blocks_of("LAB.md");
  ASSERT_EQ(indonesian.size(), english.size());
  Desk desk;
  for (std::size_t at = 0; at < indonesian.size(); ++at) {
    const std::size_t next = at + 1;
    const bool differ = indonesian[at].kind == Block::Kind::typed && next < indonesian.size() &&
                        english[next].kind == Block::Kind::shown && english[next].lines != indonesian[next].lines;
    if (differ) {
      desk.run(english[at]);
      desk.run(english[next]);
    }
    desk.run(indonesian[at]);
  }
}

TEST(GuideTwins, HaveTheSameCommands) {
  const std::vector<Block> indonesian = blocks_of("PRAKTIKUM.md");
  const std::vector<Block> english = blocks_of("LAB.md");
  EXPECT_GE(indonesian.size(), 80U);
  EXPECT_EQ(indonesian.size(), english.size());
  for (std::size_t at = 0; at < std::min(indonesian.size(), english.size()); ++at) {
    EXPECT_EQ(indonesian[at].kind, english[at].kind) << indonesian[at].heading;
    EXPECT_EQ(indonesian[at].terminal, english[at].terminal) << indonesian[at].heading;
    if (indonesian[at].kind == Block::Kind::typed) {
      Words commands = indonesian[at].lines;
      for (std::string& command : commands) {
        const std::string::size_type language = command.find("--lang id");
        if (language != std::string::npos) {
          command.replace(language, 9, "--lang en");
        }
      }
      EXPECT_EQ(commands, english[at].lines) << indonesian[at].heading;
    }
  }
}

}  // namespace
}  // namespace sistem::test
