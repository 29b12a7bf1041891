// Stamps by pub, and sub that reads them, through a real Mosquitto.
#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <utility>

#include "common/measure/stamp.hpp"
#include "tests/integration/tools.hpp"
#include "tests/support/temporary.hpp"

namespace sistem::test {
namespace {

/// What sub has printed of each message by -F '%{seq} %{latency} %p'.
struct Line {
  std::string sequence;
  double latency = 0;
  std::string payload;
};

std::vector<Line> lines_of(const std::string& out) {
  std::vector<Line> lines;
  std::istringstream text(out);
  for (std::string line; std::getline(text, line);) {
    std::istringstream words(line);
    words >> lines.emplace_back().sequence >> lines.back().latency;
    std::getline(words.ignore(1), lines.back().payload);
  }
  return lines;
}

/// That these payloads came, numbered from 1, and each took some time and no more than a test may.
void expect_numbered(Process& listener, const std::vector<std::string>& payloads) {
  EXPECT_EQ(listener.wait(), 0) << listener.report();
  const auto lines = lines_of(listener.out());
  ASSERT_EQ(lines.size(), payloads.size()) << listener.report();
  for (std::size_t at = 0; at < lines.size(); ++at) {
    EXPECT_EQ(lines[at].sequence, std::to_string(at + 1)) << listener.report();
    EXPECT_EQ(lines[at].payload, payloads[at]) << listener.report();
    EXPECT_GT(lines[at].latency, 0) << listener.report();
    EXPECT_LT(lines[at].latency, 20) << listener.report();
  }
}

class StampsOf : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_MOSQUITTO();
    broker_ = std::make_unique<Broker>();
  }
  /// A sub that takes so many messages with stamps.
  [[nodiscard]] std::unique_ptr<Process> listener(const std::string& version, std::size_t count,
                                                  const Arguments& others = {}) const {
    return subscribed(*broker_, Arguments{"-V", version, "-t", "a/#", "-q", "1", "-C", std::to_string(count),
                                          "--stamped", "-F", "%{seq} %{latency} %p"} +
                                    others);
  }

  std::unique_ptr<Broker> broker_;
};

TEST_F(StampsOf, EveryVersionAreRead) {
  for (const char* version : {"5", "311", "31"}) {
    const auto listener = this->listener(version, 3);
    expect_success(
        run(pub(*broker_, {"-V", version, "-t", "a/b", "-q", "1", "-m", "two words", "--repeat", "3", "--stamp"})));
    expect_numbered(*listener, {"two words", "two words", "two words"});
  }
}

TEST_F(StampsOf, Mqtt5AreReadWithoutAnOptionAndTouchNoPayload) {
  const auto listener = subscribed(*broker_, {"-V", "5", "-t", "a/#", "-C", "1", "-F", "%{seq}|%p|%P"});
  expect_success(run(pub(*broker_, {"-V", "5", "-i", "me", "-t", "a/b", "-m", "~stamp1 7 8 - - x", "--stamp", "-D",
                                    "publish", "user-property", "stamp-seq", "99"})));
  EXPECT_EQ(listener->wait(), 0) << listener->report();
  EXPECT_EQ(listener->out().find("1|~stamp1 7 8 - - x|"), 0U) << listener->report();
  EXPECT_NE(listener->out().find("stamp-seq:99 "), std::string::npos) << listener->report();
  EXPECT_NE(listener->out().find("stamp-publisher:me "), std::string::npos) << listener->report();
}

TEST_F(StampsOf, AnEmptyMessageOfMqtt5LeaveItSo) {
  const auto listener = subscribed(*broker_, {"-V", "5", "-t", "a/#", "-C", "1", "-F", "%{seq} %l"});
  expect_success(run(pub(*broker_, {"-V", "5", "-t", "a/b", "-n", "--stamp"})));
  EXPECT_EQ(listener->wait(), 0) << listener->report();
  EXPECT_EQ(listener->out(), "1 0\n");
}

TEST_F(StampsOf, Mqtt311AreALineForWhoDoesNotTakeThemOff) {
  const auto plain = subscribed(*broker_, {"-t", "a/#", "-C", "1", "-F", "%{seq}%p"});
  const auto five = listener("5", 1);
  expect_success(run(pub(*broker_, {"-i", "lab pub", "-t", "a/b", "-m", "x", "--stamp"})));
  EXPECT_EQ(plain->wait(), 0) << plain->report();
  EXPECT_EQ(plain->out().find("~stamp1 1 "), 0U) << plain->report();
  EXPECT_NE(plain->out().find(" - 8cdc1683 lab pub\nx\n"), std::string::npos) << plain->report();
  expect_numbered(*five, {"x"});
}

TEST_F(StampsOf, LinesAreNumbered) {
  for (const char* version : {"5", "311"}) {
    const auto listener = this->listener(version, 4);
    expect_success(run(pub(*broker_, {"-V", version, "-t", "a/b", "-q", "1", "-l", "--stamp"}), "a\n\nc d\ne\n"));
    expect_numbered(*listener, {"a", "", "c d", "e"});
  }
}

TEST_F(StampsOf, WhatHasNoneIsPrintedAsItIs) {
  const auto listener = this->listener("311", 2);
  expect_success(run(pub(*broker_, {"-t", "a/b", "-q", "1", "-l"}), "~stamp1 1 2 - -\n~stamp1 x\n"));
  EXPECT_EQ(listener->wait(), 0) << listener->report();
  EXPECT_EQ(listener->out(), "  ~stamp1 1 2 - -\n  ~stamp1 x\n");
}

TEST_F(StampsOf, OtherSourcesAreNumberedToo) {
  const TemporaryFolder folder;
  const std::string one = folder.write("one", "first").string();
  const std::string two = folder.write("two", "second").string();
  for (const char* version : {"5", "311"}) {
    auto listener = this->listener(version, 2);
    expect_success(run(pub(*broker_, {"-V", version, "-t", "a/b", "-q", "1", "-f", one, "-f", two, "--stamp"})));
    expect_numbered(*listener, {"first", "second"});
    listener = this->listener(version, 2);
    expect_success(run(pub(
        *broker_, {"-V", version, "-t", "a/%{seq}", "-q", "1", "--template", "<%{seq}>", "--repeat", "2", "--stamp"})));
    expect_numbered(*listener, {"<1>", "<2>"});
    listener = this->listener(version, 2);
    expect_success(run(pub(*broker_, {"-V", version, "--jsonl", "-q", "1", "--stamp"}),
                       "{\"topic\":\"a/1\",\"payload\":\"x\"}\n{\"topic\":\"a/2\",\"payload\":\"y\"}\n"));
    expect_numbered(*listener, {"x", "y"});
  }
}

TEST_F(StampsOf, ReadingsLeaveTheStatusAlone) {
  const auto listener = subscribed(*broker_, {"-t", "lab/#", "-C", "3", "--stamped", "-F", "%t|%{seq}"});
  const auto raw = subscribed(*broker_, {"-t", "lab/status", "-C", "1"});
  Process publisher{
      pub(*broker_, {"--readings=memori", "--prefix", "lab", "--status", "--interval", "0.01", "--stamp"})};
  EXPECT_EQ(listener->wait(), 0) << listener->report();
  EXPECT_EQ(listener->out(), "lab/status|\nlab/memori|1\nlab/memori|2\n");
  EXPECT_EQ(raw->wait(), 0) << raw->report();
  EXPECT_EQ(raw->out(), "online\n");
}

TEST_F(StampsOf, SeveralClientsCountEachForItself) {
  for (const char* version : {"5", "311"}) {
    const auto listener =
        subscribed(*broker_, {"-V", version, "-t", "a/#", "-q", "1", "-C", "12", "--stamped", "--json"});
    expect_success(run(pub(*broker_, {"-V", version, "-i", "dev", "-t", "a/b", "-q", "1", "-m", "x", "--repeat", "5",
                                      "--clients", "2", "--stamp"})));
    EXPECT_EQ(listener->wait(), 0) << listener->report();
    std::map<std::string, std::string> numbers;
    std::istringstream text(listener->out());
    for (std::string line; std::getline(text, line);) {
      const auto value = [&line](std::string_view name) {
        const auto at = line.find(name);
        const auto begin = line.find_first_not_of("\",:", at + name.size());
        return at == std::string::npos ? "" : line.substr(begin, line.find('"', begin) - begin);
      };
      numbers[value(stamp_publisher)] += value(stamp_seq) + " ";
    }
    const std::map<std::string, std::string> expected{{"dev-1", "1 2 3 4 5  "},
                                                      {"dev-2", "1 2 3 4 5  "}};  // and the last one
    EXPECT_EQ(numbers, expected) << listener->report();
  }
}

TEST_F(StampsOf, APaceAreInTimeWithIt) {
  const auto listener = subscribed(*broker_, {"-t", "a/#", "-q", "1", "-C", "2"});
  expect_success(run(pub(*broker_, {"-t", "a/b", "-q", "1", "-m", "x", "--rate", "100", "--repeat", "2", "--stamp"})));
  EXPECT_EQ(listener->wait(), 0) << listener->report();
  std::istringstream text(listener->out());
  std::string word;
  std::string checksum;
  std::string publisher;
  std::string payload;
  std::int64_t number = 0;
  std::int64_t sent = 0;
  std::int64_t due = 0;
  std::int64_t due_before = 0;
  for (int message = 1; message <= 2; ++message) {
    due_before = due;
    ASSERT_TRUE(text >> word >> number >> sent >> due >> checksum >> publisher >> payload) << listener->report();
    EXPECT_EQ(number, message);
    EXPECT_LE(due, sent);
  }
  EXPECT_GE(due - due_before, 10'000'000) << listener->report();
}

TEST_F(StampsOf, AReplayAreItsOwn) {
  const TemporaryFolder folder;
  const std::string file = folder.path() / "lab.jsonl";
  const auto recorder = listener("5", 3, {"--record", file});
  expect_success(run(pub(*broker_, {"-V", "5", "-i", "first", "-t", "a/b", "-q", "1", "-l", "--stamp"}), "x\ny\nz\n"));
  expect_numbered(*recorder, {"x", "y", "z"});

  const auto copies = listener("5", 3);
  expect_success(run(pub(*broker_, {"-V", "5", "--replay", file, "--stamp"})));
  expect_numbered(*copies, {"x", "y", "z"});

  // Without the option the stamps are those of the recording, and with it they stand before the new ones.
  for (const bool is_stamped : {false, true}) {
    const auto listener = subscribed(*broker_, {"-V", "5", "-t", "a/#", "-q", "1", "-C", "1", "-F", "%P"});
    expect_success(run(pub(*broker_, Arguments{"-V", "5", "-i", "second", "--replay", file} +
                                         (is_stamped ? Arguments{"--stamp"} : Arguments{}))));
    EXPECT_EQ(listener->wait(), 0) << listener->report();
    const auto old_one = listener->out().find("stamp-publisher:first");
    const auto new_one = listener->out().find("stamp-publisher:second");
    EXPECT_NE(old_one, std::string::npos) << listener->report();
    EXPECT_EQ(new_one != std::string::npos, is_stamped) << listener->report();
    EXPECT_EQ(new_one > old_one, true) << listener->report();
    EXPECT_EQ(listener->out().find("stamp-due:") != std::string::npos, is_stamped) << listener->report();
  }
}

TEST_F(StampsOf, Mqtt311AreRecordedAsPropertiesOrAsTheyCame) {
  const TemporaryFolder folder;
  const std::string bare = folder.path() / "bare.jsonl";
  const std::string whole = folder.path() / "whole.jsonl";
  const auto taken_off = listener("311", 2, {"--record", bare});
  const auto left = subscribed(*broker_, {"-t", "a/#", "-q", "1", "-C", "2", "--record", whole});
  expect_success(run(pub(*broker_, {"-t", "a/b", "-q", "1", "-l", "--stamp"}), "x\ny\n"));
  expect_numbered(*taken_off, {"x", "y"});
  EXPECT_EQ(left->wait(), 0) << left->report();

  for (const auto& [version, file] : {std::pair{"5", bare}, {"311", whole}}) {
    const auto listener = this->listener(version, 2);
    expect_success(run(pub(*broker_, {"-V", version, "--replay", file})));
    expect_numbered(*listener, {"x", "y"});
  }
}

}  // namespace
}  // namespace sistem::test
