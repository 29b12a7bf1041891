// What sub makes of messages: forms, choice, ends, recordings. Each with a real Mosquitto.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "tests/integration/tools.hpp"
#include "tests/support/temporary.hpp"

namespace sistem::test {
namespace {

using namespace std::string_literals;

class Printing : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_MOSQUITTO();
    broker_ = std::make_unique<Broker>();
  }
  /// Publishes these on `test`, one after the other, to a sub with those options that ends by itself.
  Result printed(const Arguments& options, const std::vector<std::string>& payloads) {
    Process subscriber{sub(*broker_, Arguments{"-t", "test", "-q", "1"} + options)};
    subscriber.wait_for_stderr("subscribed to");
    for (const std::string& payload : payloads) {
      const Result published = run(pub(*broker_, {"-t", "test", "-q", "1", "-s"}), payload);
      EXPECT_EQ(published.status, 0) << published.report;
    }
    const int status = subscriber.wait();
    return {status, subscriber.out(), subscriber.err(), subscriber.report()};
  }

  std::unique_ptr<Broker> broker_;
};

TEST_F(Printing, EachFormShowsTextAndBytes) {
  const std::vector<std::string> payloads{"text", "a\0\xFF"s};
  const std::tuple<Arguments, std::string> table[] = {
      {Arguments{}, "text\na\0\xFF\n"s},
      {Arguments{"-v"}, "test text\ntest a\0\xFF\n"s},
      {Arguments{"-N"}, "texta\0\xFF"s},
      {Arguments{"--null"}, "text\0a\0\xFF\0"s},
      {{"-F", "%{n} %{base64} %l"}, "1 dGV4dA== 4\n2 YQD/ 3\n"},
  };
  for (const auto& [options, expected] : table) {
    const Result result = printed(options + Arguments{"-C", "2"}, payloads);
    EXPECT_EQ(result.status, 0) << result.report;
    EXPECT_EQ(result.out, expected) << result.report;
  }
  const Result json = printed({"--json", "-C", "2"}, payloads);
  EXPECT_NE(json.out.find(R"({"topic":"test","payload":"text","qos":1,"retain":false,)"), std::string::npos)
      << json.report;
  EXPECT_NE(json.out.find(R"("payload_base64":"YQD/")"), std::string::npos) << json.report;
  const Result csv = printed({"--csv", "-C", "2"}, payloads);
  EXPECT_TRUE(csv.out.starts_with("time,topic,qos,retain,payload,payload_base64\n")) << csv.report;
  EXPECT_NE(csv.out.find(",test,1,0,text,\n"), std::string::npos) << csv.report;
  EXPECT_NE(csv.out.find(",test,1,0,,YQD/\n"), std::string::npos) << csv.report;
  const Result hex = printed({"--hex", "-C", "1"}, {"text"});
  EXPECT_NE(hex.out.find("74 65 78 74"), std::string::npos) << hex.report;
}

TEST_F(Printing, OnlyWhatWasChosenIsPrintedAndCounted) {
  const std::tuple<Arguments, std::vector<std::string>, std::string> table[] = {
      {{"--match", "^a", "-C", "2"}, {"ab", "ba", "ac"}, "ab\nac\n"},
      {{"--json-match", "suhu > 30", "-C", "1"}, {R"({"suhu":29})", "no JSON", R"({"suhu":31})"}, "{\"suhu\":31}\n"},
      {{"--unique", "-C", "3"}, {"1", "1", "2", "2", "1"}, "1\n2\n1\n"},
      {{"--until", "end$"}, {"1", "the end"}, "1\nthe end\n"},
  };
  for (const auto& [options, payloads, expected] : table) {
    const Result result = printed(options, payloads);
    EXPECT_EQ(result.status, 0) << result.report;
    EXPECT_EQ(result.out, expected) << result.report;
  }
}

TEST_F(Printing, SilenceEndsTheRunWithTheStatusThatSaysWhatItMeans) {
  const std::tuple<Arguments, int> table[] = {
      {{"--idle", "0.5"}, 0},
      {{"--idle", "0.5", "-C", "2"}, 27},
      {{"--idle", "0.5", "--until", "never"}, 27},
      {{"--idle", "0.5", "--expect", "2"}, 6},
      {{"-W", "0.5", "--until", "never"}, 27},
  };
  // A retained message is there as soon as there is a subscription, however slow the machine.
  ASSERT_EQ(run(pub(*broker_, {"-t", "test", "-m", "one", "-r", "-q", "1"})).status, 0);
  for (const auto& [options, status] : table) {
    const Result result = printed(options, {});
    EXPECT_EQ(result.status, status) << result.report;
    EXPECT_EQ(result.out, "one\n") << result.report;
  }
}

TEST_F(Printing, ADryRunRemovesNothing) {
  ASSERT_EQ(run(pub(*broker_, {"-t", "test", "-m", "kept", "-r", "-q", "1"})).status, 0);
  const Result dry =
      run(sub(*broker_, {"-t", "#", "--retained-only", "--remove-retained", "--dry-run", "--idle", "0.3"}));
  EXPECT_EQ(dry.status, 0) << dry.report;
  EXPECT_EQ(dry.out, "test\n") << dry.report;
  EXPECT_NE(dry.err.find("1 retained message would be removed, and none was"), std::string::npos) << dry.report;
  EXPECT_EQ(run(sub(*broker_, {"-t", "test", "-C", "1", "-W", "5"})).out, "kept\n");
}

TEST_F(Printing, WhatIsRecordedIsReplayedByteForByte) {
  const TemporaryFolder folder;
  const std::string first = folder.path() / "first.jsonl";
  const std::string second = folder.path() / "second.jsonl";
  Process recorder{sub(*broker_, {"-V", "5", "-t", "test/#", "-q", "2", "-C", "3", "--record", first})};
  recorder.wait_for_stderr("subscribed to");
  const Arguments properties{
      "-V", "5", "-D", "publish", "user-property", "a", "b", "-D", "publish", "correlation-data:hex", "00ff"};
  EXPECT_EQ(run(pub(*broker_, Arguments{"-t", "test/a", "-s", "-q", "2"} + properties), "\0\xFF\n"s).status, 0);
  EXPECT_EQ(run(pub(*broker_, {"-t", "test/b", "-m", "{\"x\": 1}", "-q", "1"})).status, 0);
  EXPECT_EQ(run(pub(*broker_, {"-t", "test/c", "-n"})).status, 0);
  EXPECT_EQ(recorder.wait(), 0) << recorder.report();

  Process again{sub(*broker_, {"-V", "5", "-t", "copy/#", "-q", "2", "-C", "3", "--record", second})};
  again.wait_for_stderr("subscribed to");
  const Result replay =
      run(pub(*broker_, {"-V", "5", "--replay", first, "--topic-map", "test=copy", "--speed", "max"}));
  EXPECT_EQ(replay.status, 0) << replay.report;
  EXPECT_EQ(again.wait(), 0) << again.report();
  // What differs are times, ids and the topic that was mapped.
  const auto lines_of = [](const std::string& path) {
    std::vector<std::string> lines;
    std::ifstream file{path};
    for (std::string line; std::getline(file, line);) {
      const auto arrival = line.find(",\"arrival\"");
      const auto properties_at = line.find(",\"properties\"");
      std::string rest =
          line.substr(line.find("\"payload"), std::min(arrival, line.find(",\"mid\"")) - line.find("\"payload"));
      lines.push_back(rest + (properties_at == std::string::npos ? "" : line.substr(properties_at)));
    }
    std::sort(lines.begin(), lines.end());  // one of QoS 2 may be overtaken by others [MQTT-4.6.0]
    return lines;
  };
  EXPECT_EQ(lines_of(first), lines_of(second));
  EXPECT_EQ(lines_of(first).size(), 3U);
}

TEST_F(Printing, AFullDiskEndsARecordingWithStatus1) {
  Process recorder{sub(*broker_, {"-t", "test", "--record", "/dev/full"})};
  recorder.wait_for_stderr("subscribed to");
  EXPECT_EQ(run(pub(*broker_, {"-t", "test", "-m", "x", "-q", "1"})).status, 0);
  EXPECT_EQ(recorder.wait(), 1) << recorder.report();
  EXPECT_NE(recorder.err().find("/dev/full"), std::string::npos) << recorder.report();
  const Result nowhere = run(sub(*broker_, {"-t", "test", "--record", "/no/such/folder/x"}));
  EXPECT_EQ(nowhere.status, 1) << nowhere.report;
}

TEST_F(Printing, WhatMakesNoSenseIsWrongUsage) {
  const std::tuple<Arguments, std::string> table[] = {
      {{"--match", "("}, "--match"},
      {{"--json-match", "suhu >"}, "--json-match"},
      {{"--json", "-F", "%p"}, "only one of them can be given"},
      {Arguments{"--dry-run"}, "--dry-run needs --remove-retained"},
      {Arguments{"--append"}, "--append needs --record"},
      {{"--json", "--pretty"}, "--pretty and --json: each message is one line of it"},
      {{"-F", "%{nosuch}"}, "at character 1"},
  };
  for (const auto& [options, words] : table) {
    const Result result = run(sub(*broker_, Arguments{"-t", "test"} + options));
    EXPECT_EQ(result.status, 2) << result.report;
    EXPECT_NE(result.err.find(words), std::string::npos) << result.report;
  }
}

}  // namespace
}  // namespace sistem::test
