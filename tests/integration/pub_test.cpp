// Where pub's message comes from, and how often it is published.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/integration/tools.hpp"

namespace sistem::test {
namespace {

using namespace std::string_literals;
using namespace std::chrono_literals;

class Pub : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_MOSQUITTO();
    broker_ = std::make_unique<Broker>();
  }

  /// A running sub that ends after so many messages.
  std::unique_ptr<Process> subscriber(int count) const {
    auto process = std::make_unique<Process>(sub(*broker_, {"-t", "#", "-q", "2", "-C", std::to_string(count)}));
    process->wait_for_stderr("subscribed to");
    return process;
  }

  /// Runs pub against a port that nothing listens on: only what it finds out before connecting can be its complaint.
  static Result run_without_broker(std::vector<std::string> arguments, const std::string& input = {}) {
    return run(tool(PUB, free_port(), std::move(arguments)), input);
  }

  TemporaryFolder folder_;
  std::unique_ptr<Broker> broker_;
};

TEST_F(Pub, AFileArrivesWhole) {
  const std::string bytes = "two\nlines\0\xFF\n"s + std::string(1 << 20, 'x');
  const auto listener = subscriber(1);
  const Result result = run(pub(*broker_, {"-t", "a", "-f", folder_.write("payload", bytes).string(), "-q", "1"}));
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_EQ(result.out + result.err, "");
  EXPECT_EQ(listener->wait(), 0);
  EXPECT_TRUE(listener->out() == bytes + "\n") << listener->out().size() << " bytes";
}

TEST_F(Pub, StdinArrivesWhole) {
  const std::string bytes = "two\nlines\0\xFF\n"s + std::string(1 << 20, 'x');
  const auto listener = subscriber(1);
  const Result result = run(pub(*broker_, {"-t", "a", "-s", "-q", "2"}), bytes);
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_EQ(listener->wait(), 0);
  EXPECT_TRUE(listener->out() == bytes + "\n") << listener->out().size() << " bytes";
}

TEST_F(Pub, ThereIsNoConnectionBeforeTheEndOfStdin) {
  Process publisher{pub(*broker_, {"-t", "a", "-s", "-i", "late"})};
  publisher.write("first part");
  const auto other = run(pub(*broker_, {"-t", "b", "-m", "x", "-q", "1"}));
  EXPECT_EQ(other.status, 0) << other.report;
  EXPECT_EQ(broker_->log().find("as late ("), std::string::npos) << broker_->log();
  publisher.close_stdin();
  EXPECT_EQ(publisher.wait(), 0) << publisher.report();
  broker_->wait_for_log("as late (");
}

TEST_F(Pub, AStopBeforeTheEndOfStdinIsAFailure) {
  Process publisher{pub(*broker_, {"-t", "a", "-s"})};
  publisher.write(std::string(1 << 20, 'x'));  // more than a pipe holds: it is reading when this returns
  publisher.signal(SIGTERM);
  EXPECT_EQ(publisher.wait(), 1) << publisher.report();
  EXPECT_EQ(publisher.err(), "pub: stopped before the end of stdin, so nothing was published\n");
}

TEST_F(Pub, EmptyStdinIsNoMessage) {
  const Result result = run_without_broker({"-t", "a", "-s"});
  EXPECT_EQ(result.status, 1) << result.report;
  EXPECT_EQ(result.err, "pub: stdin was empty, so nothing was published; --null-message publishes an empty message\n");
}

TEST_F(Pub, AClosedStdinIsNeitherAMessageNorTheEndOfAll) {
  for (const std::string source : {"-s", "-l", "--jsonl"}) {
    const Result result =
        run({.command = {"sh", "-c", "exec \"$0\" -p \"$1\" $2 <&-", PUB, std::to_string(broker_->port()),
                         source == "--jsonl" ? source : "-t a " + source}});
    EXPECT_EQ(result.status, 1) << result.report;
    EXPECT_NE(result.err.find("cannot read stdin: Bad file descriptor"), std::string::npos) << result.report;
  }
}

TEST_F(Pub, AFileThatCannotBeReadIsToldBeforeConnecting) {
  const Result missing = run_without_broker({"-t", "a", "-f", "/nonexistent/payload"});
  EXPECT_EQ(missing.status, 1) << missing.report;
  EXPECT_EQ(missing.err, "pub: cannot open /nonexistent/payload: No such file or directory\n");
  const Result folder = run_without_broker({"-t", "a", "-f", "/"});
  EXPECT_EQ(folder.status, 1) << folder.report;
  EXPECT_EQ(folder.err, "pub: cannot read /: Is a directory\n");
}

TEST_F(Pub, AFileThatIsTooLargeIsToldBeforeConnecting) {
  const auto file = folder_.write("large", "");
  std::filesystem::resize_file(file, 268'435'455);  // sparse
  const Result result = run_without_broker({"-t", "a", "-f", file.string()});
  EXPECT_EQ(result.status, 2) << result.report;
  EXPECT_NE(result.err.find(file.string() + " is larger than one MQTT message can be"), std::string::npos)
      << result.report;
}

TEST_F(Pub, ADashIsAFileOfThatName) {
  folder_.write("-", "dash");
  const auto listener = subscriber(1);
  Start start = pub(*broker_, {"-t", "a", "-f", "-"});
  start.directory = folder_.path();
  const Result result = run(start, "stdin");
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_EQ(listener->wait(), 0) << listener->report();
  EXPECT_EQ(listener->out(), "dash\n");
}

TEST_F(Pub, AnEmptyRetainedMessageDeletesTheOneBefore) {
  EXPECT_EQ(run(pub(*broker_, {"-t", "kept", "-m", "x", "-r", "-q", "1"})).status, 0);
  EXPECT_EQ(run(pub(*broker_, {"-t", "kept", "-n", "-r", "-q", "1"})).status, 0);
  EXPECT_EQ(run(pub(*broker_, {"-t", "end", "-m", "end", "-r", "-q", "1"})).status, 0);
  const auto listener = subscriber(1);
  EXPECT_EQ(listener->wait(), 0) << listener->report();
  EXPECT_EQ(listener->out(), "end\n");
}

TEST_F(Pub, AMessageIsRepeatedAtEveryQos) {
  const Broker patient{"allow_anonymous true\nmax_queued_messages 0\n"};  // drops nothing for a slow subscriber
  for (const char* qos : {"0", "1", "2"}) {
    Process listener{sub(patient, {"-t", "a", "-q", "2", "-C", "1000"})};
    listener.wait_for_stderr("subscribed to");
    const Result result = run(pub(patient, {"-t", "a", "-m", "again", "-q", qos, "--repeat", "1000"}));
    EXPECT_EQ(result.status, 0) << result.report;
    EXPECT_EQ(listener.wait(), 0) << listener.err();
    EXPECT_EQ(listener.out().size(), 1000 * "again\n"s.size()) << "QoS " << qos;
  }
}

TEST_F(Pub, TheDelayLiesBetweenTwoRepeatsAndNotAfterTheLast) {
  const auto start = std::chrono::steady_clock::now();
  const Result result = run(pub(*broker_, {"-t", "a", "-m", "x", "-q", "1", "--repeat", "3", "--repeat-delay", "0.1"}));
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_GE(std::chrono::steady_clock::now() - start, 200ms);
  const Result once = run(pub(*broker_, {"-t", "a", "-m", "x", "--repeat-delay", "3600"}));
  EXPECT_EQ(once.status, 0) << once.report;
}

TEST_F(Pub, AStopDuringTheDelayTellsHowManyRepeatsAreMissing) {
  const auto listener = subscriber(1);
  Process publisher{pub(*broker_, {"-t", "a", "-m", "x", "-q", "1", "--repeat", "10", "--repeat-delay", "3600"})};
  EXPECT_EQ(listener->wait(), 0) << listener->report();
  publisher.signal(SIGINT);
  EXPECT_EQ(publisher.wait(), 1) << publisher.report();
  EXPECT_EQ(publisher.err(), "pub: stopped: 9 messages were not published and acknowledged\n");
  broker_->wait_for_log("Received DISCONNECT");
}

TEST_F(Pub, WhatNoSocketHoldsArrivesWhole) {
  std::string large(8'000'000, ' ');
  for (std::size_t at = 0; at < large.size(); ++at) {
    large[at] = static_cast<char>('a' + at % 23);
  }
  const auto file = folder_.write("large", large);
  for (const char* qos : {"0", "1", "2"}) {
    const auto listener = subscriber(1);
    const Result result = run(pub(*broker_, {"-t", "a", "-q", qos, "-f", file.string()}));
    EXPECT_EQ(result.status, 0) << result.report;
    EXPECT_EQ(listener->wait(), 0) << listener->err();
    EXPECT_TRUE(listener->out() == large + "\n") << listener->out().size() << " bytes";
  }
}

}  // namespace
}  // namespace sistem::test
