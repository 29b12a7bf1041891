// What pub publishes: templates, lines with topics, JSON lines, readings, recordings.
#include <gtest/gtest.h>

#include <csignal>

#include "common/mqtt/record.hpp"
#include "tests/integration/tools.hpp"

namespace sistem::test {
namespace {

using namespace std::string_literals;

class Sources : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_MOSQUITTO();
    broker_ = std::make_unique<Broker>();
  }

  /// A running sub that prints so many messages as `topic|qos|retained|payload`, each ended by a NUL.
  std::unique_ptr<Process> subscriber(int count, const std::string& filter = "#") const {
    auto process =
        std::make_unique<Process>(sub(*broker_, {"-t", filter, "-q", "2", "-C", std::to_string(count), "-N",
                                                 "--retain-as-published", "-V", "5", "-F", "%t|%q|%r|%p\\0"}));
    process->wait_for_stderr("subscribed to");
    return process;
  }

  /// What pub says where it cannot even connect: only what it finds out before can be its complaint.
  static Result run_without_broker(std::vector<std::string> arguments, const std::string& input = {}) {
    return run(tool(PUB, free_port(), std::move(arguments)), input);
  }

  TemporaryFolder folder_;
  std::unique_ptr<Broker> broker_;
};

TEST_F(Sources, ATemplateIsRenderedForTopicAndPayload) {
  const auto listener = subscriber(1);
  Start start = pub(*broker_, {"-t", "lab/%{env:ROOM}", "--template", "{\"n\":%{seq:03},\"p\":\"%{pad}\"}", "--size",
                               "24", "-q", "1"});
  start.environment["ROOM"] = "attic";
  const Result result = run(start);
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_EQ(listener->wait(), 0) << listener->report();
  EXPECT_EQ(listener->out(), "lab/attic|1|0|{\"n\":001,\"p\":\"abcdefgh\"}\0"s);
}

TEST_F(Sources, WithoutATemplateAPayloadStaysAsItIs) {
  const auto listener = subscriber(1);
  EXPECT_EQ(run(pub(*broker_, {"-t", "a/%{seq}", "-m", "{\"a\":{}} %{seq} 100%%"})).status, 0);
  EXPECT_EQ(listener->wait(), 0) << listener->report();
  EXPECT_EQ(listener->out(), "a/%{seq}|0|0|{\"a\":{}} %{seq} 100%%\0"s);
}

TEST_F(Sources, TheSameSeedGivesTheSameMessages) {
  const std::vector<std::string> arguments{"-t",     "a", "--template", "%{uuid} %{rand:0..1.0:.9f} %{normal:0,1:.9f}",
                                           "--seed", "7", "-q",         "1"};
  const auto listener = subscriber(2);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(run(pub(*broker_, arguments)).status, 0);
  }
  EXPECT_EQ(listener->wait(), 0) << listener->report();
  const std::string& both = listener->out();
  EXPECT_EQ(both.substr(0, both.size() / 2), both.substr(both.size() / 2));
}

TEST_F(Sources, ATemplateIsCheckedBeforeConnecting) {
  const Result result = run_without_broker({"-t", "a", "--template", "t=%{rand:1..}"});
  EXPECT_EQ(result.status, 2) << result.report;
  EXPECT_EQ(result.err,
            "pub: --template: expected the range's higher end at character 13, got \"t=%{rand:1..}\"\n"
            "pub: --help shows all options\n");
}

TEST_F(Sources, WhatIsLargerThanItsSizeIsToldAtTheFirstMessage) {
  const Result result = run(pub(*broker_, {"-t", "a", "--template", "%{pad:11}", "--size", "10"}));
  EXPECT_EQ(result.status, 2) << result.report;
  EXPECT_NE(result.err.find("--size: the template gives 11 bytes at message 1, more than 10"), std::string::npos)
      << result.report;
}

TEST_F(Sources, EachLineHasItsTopic) {
  const auto listener = subscriber(3);
  const Result result = run(pub(*broker_, {"--topic-lines", "-q", "1"}), "a/b one two\nc\nd \xFF\n"s);
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_EQ(listener->wait(), 0) << listener->report();
  EXPECT_EQ(listener->out(), "a/b|1|0|one two\0c|1|0|\0d|1|0|\xFF\0"s);
}

TEST_F(Sources, ANulEndsALineAsOfFindPrint0) {
  const auto listener = subscriber(3);
  const Result result = run(pub(*broker_, {"-t", "a", "-l", "--null", "-q", "1"}), "two\nlines\0\0end"s);
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_EQ(listener->wait(), 0) << listener->report();
  EXPECT_EQ(listener->out(), "a|1|0|two\nlines\0a|1|0|\0a|1|0|end\0"s);
}

TEST_F(Sources, JsonLinesSayAllOfAMessage) {
  Process listener{sub(*broker_, {"-t", "#", "-q", "2", "-C", "2", "-V", "5", "-F", "%t|%q|%p|%C|%P"})};
  listener.wait_for_stderr("subscribed to");
  const Result result = run(pub(*broker_, {"--jsonl", "-t", "default", "-V", "5", "-q", "1"}),
                            "{\"topic\":\"a\",\"payload\":\"x\",\"qos\":2,\"delay\":0.01,"
                            "\"properties\":{\"content-type\":\"text/plain\",\"user-property\":[[\"unit\",\"C\"]]}}\n"
                            "{\"payload_base64\":\"eQ==\"}\n");
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_EQ(listener.wait(), 0) << listener.report();
  // One of QoS 1 may overtake one of QoS 2 [MQTT-4.6].
  EXPECT_NE(listener.out().find("a|2|x|text/plain|unit:C\n"), std::string::npos) << listener.report();
  EXPECT_NE(listener.out().find("default|1|y||\n"), std::string::npos) << listener.report();
}

TEST_F(Sources, ABadLineEndsTheRunAndAllBeforeItIsAcknowledged) {
  const auto listener = subscriber(1);
  const Result result = run(pub(*broker_, {"--topic-lines", "-q", "2"}), "good 1\nbad/# 2\ngood 3\n");
  EXPECT_EQ(result.status, 2) << result.report;
  EXPECT_NE(result.err.find("pub: stdin:2: topic: expected a topic name without wildcards"), std::string::npos)
      << result.report;
  EXPECT_EQ(listener->wait(), 0) << listener->report();
  EXPECT_EQ(listener->out(), "good|2|0|1\0"s);
}

TEST_F(Sources, ABadLineMayBeSkipped) {
  const auto listener = subscriber(2);
  const Result result = run(pub(*broker_, {"--jsonl", "-q", "1", "--on-bad-line", "skip"}),
                            "{\"topic\":\"a\"}\nnonsense\n{\"topic\":\"b\",\"properties\":{\"content-type\":\"x\"}}\n"
                            "{\"topic\":\"c\"}\n");
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_EQ(result.err,
            "pub: stdin:2: expected a JSON object in one line\n"
            "pub: stdin:3: properties: expected none, since only MQTT 5 has them: -V 5\n"
            "pub: stdin: 2 lines were skipped\n");
  EXPECT_EQ(listener->wait(), 0) << listener->report();
  EXPECT_EQ(listener->out(), "a|1|0|\0c|1|0|\0"s);
}

TEST_F(Sources, SeveralFilesAreAMessageEachInOrder) {
  const auto listener = subscriber(2);
  const Result result = run(pub(*broker_, {"-t", "a", "-f", folder_.write("one", "1\n").string(), "-f",
                                           folder_.write("two", "\0\xFF"s).string(), "-q", "1"}));
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_EQ(listener->wait(), 0) << listener->report();
  EXPECT_EQ(listener->out(), "a|1|0|1\n\0a|1|0|\0\xFF\0"s);
}

TEST_F(Sources, ARecordingIsPublishedByteForByte) {
  std::string lines;
  std::string expected;
  for (int number = 0; number < 300; ++number) {
    Message message{"recorded/" + std::to_string(number), std::string(1, static_cast<char>(number)) + "\0\n"s, 1,
                    number % 2 == 0};
    message.properties = {{0x26, 0, "value", "name"}};
    message.arrival_steady = std::chrono::steady_clock::time_point{std::chrono::microseconds(1000 + number)};
    append_record(message, lines);
    lines += "\n";
    expected += "copy/" + std::to_string(number) + "|1|" + (message.retain ? "1" : "0") + "|" + message.payload + "\0"s;
  }
  const auto listener = subscriber(300);
  const Result result = run(pub(
      *broker_, {"-V", "5", "--replay", folder_.write("lab.jsonl", lines).string(), "--topic-map", "recorded=copy"}));
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_EQ(listener->wait(), 0) << listener->report();
  EXPECT_TRUE(listener->out() == expected) << listener->report();
}

TEST_F(Sources, ARecordingWithPropertiesNeedsMqtt5) {
  const auto file = folder_.write("lab.jsonl", "{\"topic\":\"a\",\"properties\":{\"content-type\":\"x\"}}\n");
  const Result result = run(pub(*broker_, {"--replay", file.string()}));
  EXPECT_EQ(result.status, 2) << result.report;
  EXPECT_NE(result.err.find(file.string() + ":1: properties: expected none, since only MQTT 5 has them: -V 5"),
            std::string::npos)
      << result.report;
}

TEST_F(Sources, ALoopGoesOnUntilItIsStopped) {
  const auto listener = subscriber(5);
  const auto file =
      folder_.write("lab.jsonl", "{\"topic\":\"a\",\"monotonic_ns\":1000}\n{\"topic\":\"b\",\"monotonic_ns\":2000}\n");
  Process publisher{pub(*broker_, {"--replay", file.string(), "--loop"})};
  EXPECT_EQ(listener->wait(), 0) << listener->report();
  EXPECT_EQ(listener->out(), "a|0|0|\0b|0|0|\0a|0|0|\0b|0|0|\0a|0|0|\0"s);
  publisher.signal(SIGTERM);
  publisher.wait();
}

TEST_F(Sources, AFifoIsReplayedAsItComes) {
  const auto listener = subscriber(1);
  Process publisher{pub(*broker_, {"--replay", "/dev/stdin"})};
  publisher.write("{\"topic\":\"a\"}\n");
  EXPECT_EQ(listener->wait(), 0) << listener->report();
  publisher.close_stdin();
  EXPECT_EQ(publisher.wait(), 0) << publisher.report();
}

TEST_F(Sources, ReadingsHaveTheirPrefixAndMayBeJson) {
  const auto listener = subscriber(1, "lab/+/uptime");
  Process publisher{
      pub(*broker_, {"--readings=uptime", "--prefix", "lab/%{pid}", "--reading-format", "json", "-q", "1"})};
  EXPECT_EQ(listener->wait(), 0) << listener->report();
  publisher.signal(SIGINT);
  EXPECT_EQ(publisher.wait(), 0) << publisher.report();
  const std::string begin = "lab/" + std::to_string(publisher.pid()) + "/uptime|1|0|{\"value\":";
  EXPECT_EQ(listener->out().substr(0, begin.size()), begin);
  EXPECT_NE(listener->out().find(",\"unit\":\"s\",\"time\":\"20"), std::string::npos) << listener->out();
}

TEST_F(Sources, TheStatusIsOnlineAndOfflineAtAGoodEnd) {
  const auto listener = subscriber(2, "sistem/status");
  Process publisher{pub(*broker_, {"--readings=uptime", "--status"})};
  publisher.wait_for_stdout("sistem/uptime");
  publisher.signal(SIGINT);
  EXPECT_EQ(publisher.wait(), 0) << publisher.report();
  EXPECT_EQ(listener->wait(), 0) << listener->report();
  EXPECT_EQ(listener->out(), "sistem/status|1|1|online\0sistem/status|1|1|offline\0"s);
  broker_->wait_for_log("Received DISCONNECT from pub");
}

TEST_F(Sources, TheReportCountsTheStatusToo) {
  const Result result = run(pub(*broker_, {"--readings=uptime", "--status", "--interval", "10", "--duration", "0.2s",
                                           "-q", "1", "--report=json"}));
  EXPECT_EQ(result.status, 0) << result.report;
  for (const char* sum : {"\"sent\":3,", "\"acknowledged\":3,", "\"unacknowledged\":0"}) {  // online, uptime, offline
    EXPECT_NE(result.out.find(sum), std::string::npos) << sum << result.report;
  }
}

TEST_F(Sources, TheStatusIsOfflineWhereItIsKilledAndOnlineAfterALoss) {
  const auto listener = subscriber(2, "sistem/status");
  Process publisher{pub(*broker_, {"--readings=uptime", "--status"})};
  broker_->wait_for_log("'sistem/uptime'");  // what was printed may not have been sent yet
  publisher.signal(SIGKILL);
  publisher.wait();
  EXPECT_EQ(listener->wait(), 0) << listener->report();
  EXPECT_EQ(listener->out(), "sistem/status|1|1|online\0sistem/status|1|1|offline\0"s);

  Process other{pub(*broker_, {"--readings=uptime", "--status"})};
  other.wait_for_stdout("sistem/uptime");
  broker_->stop();
  broker_->start();
  const auto after = subscriber(1, "sistem/status");
  EXPECT_EQ(after->wait(), 0) << after->report();
  EXPECT_EQ(after->out(), "sistem/status|1|1|online\0"s) << "the new broker knows of nothing that was said before";
  other.signal(SIGINT);
  EXPECT_EQ(other.wait(), 0) << other.report();
}

}  // namespace
}  // namespace sistem::test
