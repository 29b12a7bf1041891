// What sub shows a person on a terminal, what it leaves there, and what it gives a pipe instead.
#include "tests/support/terminal.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <regex>
#include <thread>

#include "tests/integration/tools.hpp"

namespace sistem::test {
namespace {

constexpr const char* hide_cursor = "\x1b[?25l";
constexpr const char* show_cursor = "\x1b[?25h";

class OnATerminal : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_MOSQUITTO();
    broker_ = std::make_unique<Broker>("allow_anonymous true\nmax_queued_messages 0\n");
  }
  /// sub, or what calls it, with these arguments and variables on a terminal.
  [[nodiscard]] std::vector<std::string> command(std::vector<std::string> arguments,
                                                 const std::vector<std::string>& variables = {},
                                                 const std::string& tool = SUB) const {
    std::vector<std::string> words{"env",
                                   "-i",
                                   "PATH=/usr/bin:/bin",
                                   "HOME=/nonexistent",
                                   "TERM=xterm-256color",
                                   "MQTT_HOST=127.0.0.1",
                                   "MQTT_PORT=" + std::to_string(broker_->port())};
    words.insert(words.end(), variables.begin(), variables.end());
    words.push_back(tool);
    words.insert(words.end(), arguments.begin(), arguments.end());
    return words;
  }
  void publish(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"-q", "1"});
    const Result result = run(pub(*broker_, std::move(arguments)));
    EXPECT_EQ(result.status, 0) << result.report;
  }

  std::unique_ptr<Broker> broker_;
};

/// What the screen shows without what changes its look.
std::string plain(const std::string& screen) { return std::regex_replace(screen, std::regex("\x1b\\[[0-9;]*m"), ""); }

bool has(const std::string& screen, const std::string& text) { return screen.find(text) != std::string::npos; }

/// Whether there are characters of Braille: U+2800 to U+28FF. Which ones, the time decides.
bool has_dots(const std::string& screen) {
  return has(screen, "\xE2\xA0") || has(screen, "\xE2\xA1") || has(screen, "\xE2\xA2") || has(screen, "\xE2\xA3");
}

TEST_F(OnATerminal, AMessageIsALineWithTimeTopicAndPayloadInColours) {
  publish({"-t", "k/a", "-m", "28 °C", "-r"});
  Terminal terminal{command({"-t", "k/a", "-C", "1"})};
  EXPECT_EQ(terminal.wait(), 0) << terminal.screen();
  EXPECT_TRUE(has(terminal.screen(), "\x1b[38;5;")) << terminal.screen();
  const std::regex line(R"([0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}  k/a  \[retained\] 28 °C\r\n)");
  EXPECT_TRUE(std::regex_search(plain(terminal.screen()), line)) << terminal.screen();
}

TEST_F(OnATerminal, APipeGetsNothingButBytes) {
  publish({"-t", "k/a", "-m", "a\x1b[2J\nb", "-r"});
  const Result result = run(sub(*broker_, {"-t", "k/a", "-C", "1"}));
  EXPECT_EQ(result.out, "a\x1b[2J\nb\n") << result.report;
}

TEST_F(OnATerminal, WhatAMessageBringsDoesNotActOnIt) {
  publish({"-t", "k/a", "-m", "a\x1b]0;title\x07\nb\xC2\x9B", "-r"});
  Terminal terminal{command({"-t", "k/a", "-C", "1"})};
  EXPECT_EQ(terminal.wait(), 0) << terminal.screen();
  EXPECT_TRUE(has(terminal.screen(), "a\\x1b]0;title\\x07\\nb\\u009b\r\n")) << terminal.screen();
}

TEST_F(OnATerminal, AFormatsOwnEscapesActAndThoseOfAMessageDoNot) {
  publish({"-t", "k/a", "-m", "x\x1b[2J", "-r"});
  Terminal terminal{command({"-t", "k/a", "-C", "1", "-F", "\\e[92m%p\\e[0m"})};
  EXPECT_EQ(terminal.wait(), 0) << terminal.screen();
  EXPECT_TRUE(has(terminal.screen(), "\x1b[92mx\\x1b[2J\x1b[0m\r\n")) << terminal.screen();
}

TEST_F(OnATerminal, WhatEndsAMessageDoesNotLetItActOnIt) {
  publish({"-t", "k/a", "-m", "x\x1b[1m\xC2\x9B", "-r"});
  for (const char* end : {"-N", "--null"}) {
    Terminal terminal{command({"-t", "k/a", "-C", "1", end})};
    EXPECT_EQ(terminal.wait(), 0) << terminal.screen();
    EXPECT_TRUE(has(terminal.screen(), "x\\x1b[1m\\u009b")) << terminal.screen();
  }
}

TEST_F(OnATerminal, ForMosquittosNameThereIsNoLayoutAndNothingThatActs) {
  publish({"-t", "k/a", "-m", "x\x1b[1m", "-r"});
  const TemporaryFolder folder;
  const auto link = folder.path() / "mosquitto_sub";
  std::filesystem::create_symlink(SUB, link);
  Terminal drop_in{command({"-t", "k/a", "-C", "1", "-v"}, {}, link)};
  EXPECT_EQ(drop_in.wait(), 0) << drop_in.screen();
  EXPECT_EQ(drop_in.screen(), "k/a x\\x1b[1m\r\n");
}

TEST_F(OnATerminal, ColoursAreLeftOutWhereNobodyWantsThem) {
  publish({"-t", "k/a", "-m", "x", "-r"});
  const struct {
    std::vector<std::string> arguments;
    std::vector<std::string> variables;
    bool colours;
  } rows[] = {
      {{}, {}, true},
      {{}, {"NO_COLOR=1"}, false},
      {{}, {"NO_COLOR="}, true},
      {{}, {"TERM=dumb"}, false},
      {{"--color", "never"}, {}, false},
      {{"--color", "always"}, {"NO_COLOR=1"}, true},
      {{}, {"MQTT_COLOR=never"}, false},
  };
  for (const auto& row : rows) {
    std::vector<std::string> arguments = row.arguments;
    arguments.insert(arguments.end(), {"-t", "k/a", "-C", "1"});
    Terminal terminal{command(arguments, row.variables)};
    EXPECT_EQ(terminal.wait(), 0) << terminal.screen();
    EXPECT_EQ(has(terminal.screen(), "\x1b"), row.colours) << terminal.screen();
    EXPECT_TRUE(has(plain(terminal.screen()), "  k/a  [retained] x\r\n")) << terminal.screen();
  }
}

TEST_F(OnATerminal, ColoursGoIntoAPipeWhereTheyAreAskedFor) {
  publish({"-t", "k/a", "-m", "x", "-r"});
  const Result result = run(sub(*broker_, {"-t", "k/a", "-C", "1", "--color=always"}));
  EXPECT_TRUE(has(result.out, "\x1b[")) << result.report;
  EXPECT_TRUE(has(plain(result.out), "  k/a  [retained] x\n")) << result.report;
}

TEST_F(OnATerminal, AWatchIsDrawnInPlaceAndLeavesTheTerminalAsItWas) {
  publish({"-t", "k/a", "-m", "first", "-r"});
  for (const int signal : {0, SIGTERM}) {
    Terminal terminal{command({"-t", "k/#", "--watch", "--color", "never"})};
    terminal.resize(60, 20);
    terminal.wait_for(hide_cursor);
    terminal.wait_for("first");
    publish({"-t", "k/b", "-m", "second"});
    terminal.wait_for("second");
    publish({"-t", "k/b", "-m", "third"});
    terminal.wait_for("third");
    EXPECT_FALSE(has(terminal.screen(), show_cursor));
    if (signal == 0) {
      terminal.type("\x03");
    } else {
      terminal.signal(signal);
    }
    EXPECT_EQ(terminal.wait(), 0) << terminal.screen();
    EXPECT_TRUE(terminal.screen().ends_with(std::string("\r\n") + show_cursor)) << terminal.screen();
    // The last picture, with the three rows and no others, is what stays.
    const std::string last = terminal.screen().substr(terminal.screen().rfind("TOPIC"));
    EXPECT_TRUE(has(last, "k/a    first ")) << last;
    EXPECT_TRUE(has(last, "k/b    third ")) << last;
    EXPECT_TRUE(has(last, "2 topics, 3 messages")) << last;
  }
}

TEST_F(OnATerminal, AWatchFollowsTheSizeOfTheWindow) {
  for (int topic = 0; topic < 20; ++topic) {
    publish({"-t", "k/" + std::to_string(topic), "-m", std::string(60, 'x'), "-r"});
  }
  Terminal terminal{command({"-t", "k/#", "--watch"})};
  terminal.resize(100, 40);
  terminal.wait_for(std::string(60, 'x'));
  terminal.wait_for("20 topics");
  terminal.resize(50, 12);
  terminal.wait_for("and 14 more topics");
  const std::string picture = terminal.screen().substr(terminal.screen().rfind("TOPIC"));
  EXPECT_TRUE(has(picture, "…")) << picture;
  EXPECT_FALSE(has(picture, std::string(60, 'x'))) << picture;
  terminal.resize(100, 40);
  terminal.wait_for(std::string(60, 'x'));
}

TEST_F(OnATerminal, AWatchEndsByACountAndByAClosedConnection) {
  publish({"-t", "k/a", "-m", "x", "-r"});
  Terminal counted{command({"-t", "k/#", "--watch", "-C", "1"})};
  EXPECT_EQ(counted.wait(), 0) << counted.screen();
  EXPECT_TRUE(has(counted.screen(), "1 topic, 1 message")) << counted.screen();
  EXPECT_TRUE(has(counted.screen(), show_cursor)) << counted.screen();

  Terminal cut{command({"-t", "k/#", "--watch", "--no-reconnect"})};
  cut.wait_for("1 topic, 1 message");
  broker_->stop();
  EXPECT_EQ(cut.wait(), 3) << cut.screen();
  EXPECT_TRUE(has(cut.screen(), "\x1b[?25hsub: lost the connection")) << cut.screen();  // on a line of its own
}

TEST_F(OnATerminal, AGraphHasALineAndNumbers) {
  Terminal terminal{command({"-t", "k/#", "--graph", "temperature"})};
  terminal.resize(60, 20);
  terminal.wait_for("no number has come yet at temperature");
  publish({"-t", "k/a", "-m", R"({"temperature":20})"});
  publish({"-t", "k/a", "-m", R"({"temperature":30})"});
  publish({"-t", "k/b", "-m", R"({"humidity":1})"});
  terminal.wait_for("1 message has no number there");
  terminal.type("\x03");
  EXPECT_EQ(terminal.wait(), 0) << terminal.screen();
  const std::string screen = plain(terminal.screen());
  EXPECT_TRUE(has(screen, "30 ┤")) << screen;
  EXPECT_TRUE(has(screen, "20 ┤")) << screen;
  EXPECT_TRUE(has_dots(screen)) << screen;
  EXPECT_TRUE(has(screen, "━━ k/a  30")) << screen;
  EXPECT_TRUE(terminal.screen().ends_with(std::string("\r\n") + show_cursor)) << screen;
}

TEST_F(OnATerminal, NotesStayInSightAboveAPicture) {
  publish({"-t", "k/a", "-m", "x", "-r"});
  Terminal terminal{command({"-t", "k/#", "--watch"})};
  terminal.wait_for("1 topic, 1 message");
  broker_->stop();
  terminal.wait_for("trying to regain it\r\n");
  // The picture is drawn below it: from the line that the note left the cursor in, and not over it.
  terminal.wait_for("\r\x1b[K\r\n\x1b[K");
  terminal.wait_for("TOPIC");
}

TEST_F(OnATerminal, AMessageRateIsALineEachSecond) {
  const std::regex line(R"([0-9]{2}:[0-9]{2}:[0-9]{2} +[0-9]+ messages +[0-9]+ B +[0-9.]+/s +[0-9]+ waiting\r?\n)");
  Terminal terminal{command({"-t", "k/#", "--message-rate"})};
  terminal.wait_for("waiting");
  publish({"-t", "k/a", "-m", "12345"});
  terminal.wait_for(" 1 messages       5 B");
  EXPECT_TRUE(std::regex_search(terminal.screen(), line)) << terminal.screen();
  EXPECT_FALSE(has(terminal.screen(), hide_cursor));

  Process piped{sub(*broker_, {"-t", "k/#", "--message-rate"})};
  piped.wait_for_stdout("waiting\n");
  piped.wait_for_stdout("waiting\n", patience);
  EXPECT_TRUE(std::regex_search(piped.out(), line)) << piped.report();
}

TEST_F(OnATerminal, ViewsOfAPipeAreLinesWithoutEscapes) {
  for (const std::vector<std::string>& view : {std::vector<std::string>{"--watch"}, {"--graph", "."}}) {
    std::vector<std::string> arguments{"-t", "k/#"};
    arguments.insert(arguments.end(), view.begin(), view.end());
    Process process{sub(*broker_, arguments)};
    process.wait_for_stderr("subscribed to");
    publish({"-t", "k/a", "-m", "23.5 %"});
    process.wait_for_stdout("\tk/a\t");  // while it runs: nothing is held back
    process.signal(SIGINT);
    EXPECT_EQ(process.wait(), 0) << process.report();
    EXPECT_FALSE(has(process.out(), "\x1b")) << process.report();
    EXPECT_EQ(std::count(process.out().begin(), process.out().end(), '\n'), 1) << process.report();
  }
}

TEST_F(OnATerminal, ADumbOneGetsLinesInsteadOfPictures) {
  publish({"-t", "k/a", "-m", "x", "-r"});
  Terminal terminal{command({"-t", "k/#", "--watch"}, {"TERM=dumb"})};
  terminal.wait_for("\tkept\tx\r\n");
  EXPECT_FALSE(has(terminal.screen(), "\x1b")) << terminal.screen();
}

TEST_F(OnATerminal, SilenceIsExplainedOnceToAPerson) {
  Terminal terminal{command({"-t", "sister/#", "-W", "6"})};
  terminal.wait_for("nothing has come for 5 s: connected to 127.0.0.1:");
  terminal.wait_for("subscribed to sister/# (QoS 0), nothing retained there; --why looks which topics there are\r\n");
  EXPECT_EQ(terminal.wait(), 27) << terminal.screen();
  EXPECT_EQ(terminal.screen().find("nothing has come"), terminal.screen().rfind("nothing has come"));
}

TEST_F(OnATerminal, WhyLooksWhichTopicsThereAre) {
  publish({"-t", "sistem/suhu", "-m", "28", "-r"});
  Process process{sub(*broker_, {"-t", "sister/suhu", "--why", "-W", "6"})};
  process.wait_for_stderr("did you mean sistem/suhu for sister/suhu? there are sistem/suhu\n");
  EXPECT_EQ(process.wait(), 27) << process.report();
  EXPECT_EQ(process.out(), "");
}

TEST_F(OnATerminal, WhoHasLittleTimeIsToldWhyBeforeItIsUp) {
  Process process{sub(*broker_, {"-t", "sister/suhu", "--why", "-W", "2"})};
  EXPECT_EQ(process.wait(), 27) << process.report();
  EXPECT_TRUE(has(process.err(), "nothing has come for 1 s")) << process.report();
  EXPECT_TRUE(has(process.err(), "no topic has a retained message, and none had a new one in 0.8 s\n"))
      << process.report();
}

/// How many messages a sub with that policy prints, and tells to have dropped, of those that come while nobody reads.
struct Overflowed {
  std::size_t published = 0;
  std::size_t printed = 0;
  std::size_t dropped = 0;
  bool has_first = false;
  bool has_last = false;
};

class Overflow : public OnATerminal {
 protected:
  static constexpr int messages = 20'000;

  Overflowed flood(const std::string& policy) const {
    Process subscriber{sub(*broker_, {"-t", "flood", "-t", "settled/#", "--overflow", policy, "-i", "slow", "-d"})};
    subscriber.wait_for_stderr("subscribed to");
    std::string lines;
    for (int number = 0; number < messages; ++number) {
      lines += std::to_string(number) + " " + std::string(2000, 'x') + "\n";
    }
    // Acknowledged: or the broker has much of it unread yet when it reads what another client sends next.
    EXPECT_EQ(run(pub(*broker_, {"-t", "flood", "-l", "-q", "1"}), lines).status, 0);
    subscriber.wait_for_full_stdout();
    const int settled = policy == "block" ? 0 : settle(subscriber);
    const std::size_t memory = most_memory(subscriber.pid());
    const int last = read_to_the_end(subscriber);
    subscriber.signal(SIGINT);
    const int status = subscriber.wait();
    Overflowed result{.published = static_cast<std::size_t>(messages + settled + last)};
    std::smatch told;
    const std::string err = subscriber.err();
    if (std::regex_search(err, told,
                          std::regex("([0-9]+) messages were dropped because the reader of stdout was slow"))) {
      result.dropped = std::stoul(told[1]);
    }
    EXPECT_EQ(status, result.dropped > 0 ? 1 : 0) << err;
    const std::string& out = subscriber.out();
    result.printed = static_cast<std::size_t>(std::count(out.begin(), out.end(), '\n'));
    result.has_first = out.starts_with("0 ");
    result.has_last = out.find("\n19999 ") != std::string::npos;
    if (!are_sanitized()) {
      EXPECT_LT(memory, 30'000U) << "kB of memory for 40 MB of messages";
    }
    return result;
  }

 private:
  /// Waits until the flood has passed into the queue, or been dropped, all of it: the broker still holds much when the
  /// publisher has ended. What -d tells was read off the wire; the second of two messages, one published after the
  /// other was read, is not read before all has been queued that was read with the first. How many those were.
  int settle(Process& subscriber) const {
    for (const char* topic : {"settled/1", "settled/2"}) {
      publish({"-t", topic, "-m", "x"});
      subscriber.wait_for_stderr_alone(topic);
    }
    return 2;
  }

  /// Reads until all has come that was published: a message that comes after it is printed. That one may be dropped
  /// too, and then is followed by another. How many those were.
  int read_to_the_end(Process& subscriber) const {
    using Clock = std::chrono::steady_clock;
    constexpr std::chrono::milliseconds quiet{500};
    const auto deadline = Clock::now() + patience;
    for (int number = 1;; ++number) {
      const std::string end = "end " + std::to_string(number);
      publish({"-t", "flood", "-m", end});
      std::size_t seen = subscriber.out().size();
      for (auto grown_at = Clock::now(); Clock::now() - grown_at < quiet;) {
        subscriber.poll_output();
        if (subscriber.out().find(end + "\n", seen - std::min(seen, end.size())) != std::string::npos) {
          return number;
        }
        grown_at = subscriber.out().size() > seen ? Clock::now() : grown_at;
        seen = subscriber.out().size();
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      if (Clock::now() >= deadline) {
        throw std::runtime_error("the end has never come\n" + subscriber.err());
      }
    }
  }

  static std::size_t most_memory(pid_t pid) {
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmHWM:")) {
        return std::stoul(line.substr(6));
      }
    }
    return 0;
  }
};

TEST_F(Overflow, BlockingLosesNothing) {
  const Overflowed result = flood("block");
  EXPECT_EQ(result.printed, result.published);
  EXPECT_EQ(result.dropped, 0U);
}

TEST_F(Overflow, TheOldestAreDroppedAndCounted) {
  const Overflowed result = flood("drop-oldest");
  EXPECT_EQ(result.printed + result.dropped, result.published);
  EXPECT_GT(result.dropped, 15'000U);
  EXPECT_TRUE(result.has_first);  // it was on its way to the reader already
  EXPECT_TRUE(result.has_last);
}

TEST_F(Overflow, TheNewestAreDroppedAndCounted) {
  const Overflowed result = flood("drop-newest");
  EXPECT_EQ(result.printed + result.dropped, result.published);
  EXPECT_GT(result.dropped, 15'000U);
  EXPECT_TRUE(result.has_first);
  EXPECT_FALSE(result.has_last);
}

TEST_F(Overflow, ACountIsOfThosePrinted) {
  Process subscriber{
      sub(*broker_, {"-t", "k/#", "--overflow", "drop-oldest", "-C", "3", "-c", "-i", "kept", "-q", "1"})};
  subscriber.wait_for_stderr("subscribed to");
  for (const char* payload : {"1", "2", "3"}) {
    publish({"-t", "k/a", "-m", payload});
  }
  EXPECT_EQ(subscriber.wait(), 0) << subscriber.report();
  EXPECT_EQ(subscriber.out(), "1\n2\n3\n");
}

}  // namespace
}  // namespace sistem::test
