#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "tests/integration/tools.hpp"
#include "tests/support/rogue_broker.hpp"

namespace sistem::test {
namespace {

/// A stop takes a second at most; a test that waits for its end allows for a loaded machine on top.
constexpr std::chrono::seconds a_second_and_some{3};

/// The process that runs with these words; one that has ended and was not reaped has no words any more.
std::optional<pid_t> process_of(const std::string& command_line) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "cmdline", std::ios::binary);
    std::ostringstream content;
    content << file.rdbuf();  // which does not throw where the process ends meanwhile
    std::string words = content.str();
    std::replace(words.begin(), words.end(), '\0', ' ');
    if (words == command_line + " ") {
      return std::stoi(entry.path().filename().string());
    }
  }
  return std::nullopt;
}

class Signals : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_MOSQUITTO();
    broker_ = std::make_unique<Broker>();
  }
  /// The broker logs a client that sent DISCONNECT differently from one that just went.
  void expect_disconnect(const std::string& client) { broker_->wait_for_log("Received DISCONNECT from " + client); }
  std::unique_ptr<Broker> broker_;
};

TEST_F(Signals, StopSubWithDisconnectAndStatus0) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const std::string id = "sub-" + std::to_string(signal);
    Process subscriber{sub(*broker_, {"-i", id})};
    subscriber.wait_for_stderr("subscribed to");
    subscriber.signal(signal);
    EXPECT_EQ(subscriber.wait(a_second_and_some), 0) << subscriber.report();
    expect_disconnect(id);
  }
}

TEST_F(Signals, StopPubsReadingsWithDisconnectAndStatus0) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const std::string id = "pub-" + std::to_string(signal);
    Process publisher{pub(*broker_, {"-i", id})};
    publisher.wait_for_stdout("sistem/");
    publisher.signal(signal);
    EXPECT_EQ(publisher.wait(a_second_and_some), 0) << publisher.report();
    expect_disconnect(id);
  }
}

TEST_F(Signals, StopPubThatWaitsForALine) {
  Process publisher{pub(*broker_, {"-i", "liner", "-t", "a", "-l", "-q", "1"})};
  publisher.write("one\n");
  broker_->wait_for_log("Sending PUBACK to liner");
  publisher.signal(SIGTERM);
  EXPECT_EQ(publisher.wait(a_second_and_some), 0) << publisher.report();
  expect_disconnect("liner");
}

TEST_F(Signals, StopSubWhoseReaderDoesNotRead) {
  Process subscriber{sub(*broker_, {"-i", "blocked", "-t", "flood"})};
  subscriber.wait_for_stderr("subscribed to");
  // More than the pipe and every queue on the way hold; nobody reads our end of it.
  std::string lines;
  for (int line = 0; line < 2000; ++line) {
    lines += std::string(1000, 'x') + "\n";
  }
  EXPECT_EQ(run(pub(*broker_, {"-t", "flood", "-l"}), lines).status, 0);
  subscriber.wait_for_full_stdout();
  subscriber.signal(SIGTERM);
  EXPECT_EQ(subscriber.wait_without_reading(a_second_and_some), 1) << subscriber.err();
}

TEST_F(Signals, StopBeforeTheCountIsAFailureThatSaysSo) {
  Process subscriber{sub(*broker_, {"-t", "silent", "-C", "2"})};
  subscriber.wait_for_stderr("subscribed to");
  subscriber.signal(SIGINT);
  EXPECT_EQ(subscriber.wait(a_second_and_some), 1) << subscriber.report();
  EXPECT_NE(subscriber.err().find("stopped after 0 of 2 messages"), std::string::npos) << subscriber.report();
}

TEST_F(Signals, StopAWaitForABroker) {
  Process publisher{tool(PUB, free_port(), {"-t", "a", "-m", "x", "--wait-for-broker"})};
  publisher.wait_for_stderr("waiting for it");
  publisher.signal(SIGINT);
  EXPECT_EQ(publisher.wait(a_second_and_some), 3) << publisher.report();
}

TEST_F(Signals, StopAConnectionThatIsNotAnswered) {
  const RogueBroker silent{{}};
  Process publisher{tool(PUB, silent.port(), {"-t", "a", "-m", "x", "-d"})};
  publisher.wait_for_stderr("-> CONNECT");
  publisher.signal(SIGINT);
  EXPECT_EQ(publisher.wait(a_second_and_some), 3) << publisher.report();
}

TEST_F(Signals, StopSubWhoseErrorOutputNobodyReads) {
  Process subscriber{sub(*broker_, {"-i", "mute", "-t", "flood", "-d"})};
  subscriber.wait_for_stderr("subscribed to");
  std::string lines;
  for (int line = 0; line < 3000; ++line) {
    lines += "a line of which -d says more than stderr's pipe holds, as nobody reads it\n";
  }
  EXPECT_EQ(run(pub(*broker_, {"-t", "flood", "-l"}), lines).status, 0);
  subscriber.wait_for_full_stderr();
  subscriber.signal(SIGTERM);
  EXPECT_EQ(subscriber.wait_without_reading(a_second_and_some), 1) << subscriber.err();
}

TEST_F(Signals, StopSubWhoseTerminalNobodyReads) {
  // script(1) gives it a terminal; its own output is a pipe that nobody reads.
  Start start = sub(*broker_, {"-i", "terminal", "-t", "flood"});
  start.command = {"script", "-qfec", "exec " SUB " -i terminal -t flood", "/dev/null"};
  Process terminal{start};
  terminal.wait_for_stdout("subscribed to");
  std::string lines;
  for (int line = 0; line < 3000; ++line) {
    lines += std::string(1000, 'x') + "\n";
  }
  EXPECT_EQ(run(pub(*broker_, {"-t", "flood", "-l"}), lines).status, 0);
  terminal.wait_for_full_stdout();
  const std::string command_line = SUB + std::string(" -i terminal -t flood");
  const auto found = process_of(command_line);
  ASSERT_TRUE(found);
  ::kill(*found, SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + a_second_and_some;
  while (process_of(command_line)) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "still there";
  }
}

TEST_F(Signals, TheSameOneTwiceAtOnceIsOneWish) {
  // timeout(1) signals its child, and then its group.
  Process subscriber{sub(*broker_, {"-i", "twice"})};
  subscriber.wait_for_stderr("subscribed to");
  subscriber.signal(SIGTERM);
  subscriber.signal(SIGTERM);
  EXPECT_EQ(subscriber.wait(a_second_and_some), 0) << subscriber.report();
  expect_disconnect("twice");
}

TEST_F(Signals, AClosedStdoutIsNoMessageAndNoSuccess) {
  Start start = sub(*broker_, {"-i", "closed", "-t", "a", "-C", "1"});
  start.command.insert(start.command.begin(), {"sh", "-c", "exec \"$@\" <&- >&-", "sh"});
  Process subscriber{start};
  subscriber.wait_for_stderr("subscribed to");
  EXPECT_EQ(run(pub(*broker_, {"-t", "a", "-m", "x"})).status, 0);
  EXPECT_EQ(subscriber.wait(), 1) << subscriber.report();
  expect_disconnect("closed");
}

TEST_F(Signals, TheSecondOneEndsAtOnce) {
  // The first is on its way to a clean end that this broker never lets come: PUBLISH is not acknowledged.
  const RogueBroker deaf{{{RogueBroker::connect_packet, {"\x20\x02\x00\x00", 4}}}};
  Process publisher{tool(PUB, deaf.port(), {"-t", "a", "-m", "x", "-q", "1", "-d"})};
  publisher.wait_for_stderr("-> PUBLISH");
  publisher.signal(SIGINT);
  publisher.signal(SIGTERM);
  const int status = publisher.wait(a_second_and_some);
  // Both may be pending when the tool looks: then the lower one is heard first.
  EXPECT_TRUE(status == 128 + SIGTERM || status == 128 + SIGINT) << publisher.report();
}

TEST_F(Signals, WhatIsNotAcknowledgedAtTheEndIsToldAndIsAFailure) {
  const RogueBroker deaf{{{RogueBroker::connect_packet, {"\x20\x02\x00\x00", 4}}}};
  Process publisher{tool(PUB, deaf.port(), {"-t", "a", "-m", "x", "-q", "1", "-d"})};
  publisher.wait_for_stderr("-> PUBLISH");
  publisher.signal(SIGINT);
  EXPECT_EQ(publisher.wait(a_second_and_some), 1) << publisher.report();
  EXPECT_NE(publisher.err().find("1 message was not published and acknowledged"), std::string::npos)
      << publisher.report();
}

TEST_F(Signals, SigintAndSigtermEndWhatWasStartedWithThemIgnored) {
  // As a shell script starts a job in the background.
  for (const int signal : {SIGINT, SIGTERM}) {
    Start start = sub(*broker_, {"-t", "a"});
    start.command.insert(start.command.begin(), {"sh", "-c", "trap '' INT TERM; exec \"$@\"", "sh"});
    Process subscriber{start};
    subscriber.wait_for_stderr("subscribed to");
    subscriber.signal(signal);
    EXPECT_EQ(subscriber.wait(a_second_and_some), 0) << subscriber.report();
  }
}

TEST_F(Signals, AnIgnoredSighupIsNohups) {
  Start start = sub(*broker_, {"-t", "a", "-C", "1"});
  start.command.insert(start.command.begin(), {"sh", "-c", "trap '' HUP; exec \"$@\"", "sh"});
  Process subscriber{start};
  subscriber.wait_for_stderr("subscribed to");
  subscriber.signal(SIGHUP);
  EXPECT_EQ(run(pub(*broker_, {"-t", "a", "-m", "after the signal"})).status, 0);
  EXPECT_EQ(subscriber.wait(), 0) << subscriber.report();
  EXPECT_EQ(subscriber.out(), "after the signal\n");
}

TEST_F(Signals, AClosedPipeEndsSubQuietlyWithDisconnect) {
  Process subscriber{sub(*broker_, {"-i", "headed", "-t", "a"})};
  subscriber.wait_for_stderr("subscribed to");
  subscriber.close_stdout();  // without a message: a quiet topic must not keep it for ever
  EXPECT_EQ(subscriber.wait(), 0) << subscriber.report();
  expect_disconnect("headed");
  EXPECT_EQ(subscriber.err().find('\n'), subscriber.err().size() - 1) << subscriber.report();
}

TEST_F(Signals, AFullDiskEndsSubWithStatus1) {
  Start start = sub(*broker_, {"-t", "a"});
  start.command.insert(start.command.begin(), {"sh", "-c", "exec \"$@\" > /dev/full", "sh"});
  Process subscriber{start};
  subscriber.wait_for_stderr("subscribed to");
  EXPECT_EQ(run(pub(*broker_, {"-t", "a", "-m", "x"})).status, 0);
  EXPECT_EQ(subscriber.wait(), 1) << subscriber.report();
  EXPECT_NE(subscriber.err().find("cannot write to stdout: No space left on device"), std::string::npos);
}

}  // namespace
}  // namespace sistem::test
