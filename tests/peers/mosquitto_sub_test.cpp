// sub beside the real mosquitto_sub: the same messages, the same bytes. What differs on purpose is not in these tables:
// sub/show/format.cpp says where and why, and unit tests hold it.
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <regex>
#include <thread>

#include "tests/integration/tools.hpp"

namespace sistem::test {
namespace {

using namespace std::string_literals;

constexpr const char* peer = "/usr/bin/mosquitto_sub";

/// Times out of a message's JSON, and of %U and @s: the two never print at the same moment.
std::string without_times(const std::string& text) {
  static const std::regex times(R"re("tst":(\t?)"[^"]*"|[0-9]{10}\.[0-9]{9})re");
  return std::regex_replace(text, times, "\"tst\":$1\"\"");
}

/// JSON of mosquitto_sub 2.1 as 2.0 has it, and we do: there retain is a number, and user properties are one object.
std::string as_before_2_1(std::string text) {
  static const std::regex of_2_1(R"re("retain":(\t?)(true|false)|"user-properties":(\t?)\[([^\]]*)\])re");
  std::string before;
  std::smatch found;
  for (; std::regex_search(text, found, of_2_1); text = found.suffix()) {
    before += found.prefix();
    if (found[2].matched) {
      before += "\"retain\":" + found[1].str() + (found[2] == "true" ? "1" : "0");
    } else {
      before +=
          "\"user-properties\":" + found[3].str() + std::regex_replace(found[4].str(), std::regex(R"(\},\{)"), ",");
    }
  }
  return before + text;
}

/// What is sent to both. (QoS 2 comes last: its handshake lets what is sent after it overtake.)
struct Sent {
  std::string payload;
  std::string qos = "0";
  bool retain = false;
  std::vector<std::string> properties = {};  ///< mosquitto_pub's words
};

class MosquittoSub : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_MOSQUITTO();
    if (::access(peer, X_OK) != 0) {
      if (std::getenv("CI") != nullptr) {
        FAIL() << "mosquitto_sub is not installed, and CI must not skip its tests";
      }
      GTEST_SKIP() << "mosquitto_sub is not installed (tests/run installs it)";
    }
    broker_ = std::make_unique<Broker>();
  }

  [[nodiscard]] Start theirs(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {peer, "-h", "127.0.0.1", "-p", std::to_string(broker_->port())});
    return {.command = std::move(arguments), .environment = {{"TZ", "EST5"}}};
  }
  [[nodiscard]] Start ours(std::vector<std::string> arguments) const {
    Start start = sub(*broker_, std::move(arguments));
    start.environment["TZ"] = "EST5";
    return start;
  }

  /// Runs both with the same arguments, sends each message to both, and compares what they have printed and how they
  /// ended.
  void compare(const std::vector<std::string>& arguments, const std::vector<Sent>& messages) {
    for (const Sent& message : messages) {
      if (message.retain) {
        send(message);
      }
    }
    subscriptions_ = count("Sending SUBACK");
    Process their{theirs(arguments)};
    Process our{ours(arguments)};
    wait_for_subscriptions(subscriptions_ + 2);
    for (const Sent& message : messages) {
      if (!message.retain) {
        send(message);
      }
    }
    const int status = their.wait();
    EXPECT_EQ(our.wait(), status) << our.report() << their.report();
    EXPECT_EQ(without_times(our.out()), as_before_2_1(without_times(their.out()))) << our.report() << their.report();
  }

  void send(const Sent& message) const {
    std::vector<std::string> arguments{"/usr/bin/mosquitto_pub",
                                       "-h",
                                       "127.0.0.1",
                                       "-p",
                                       std::to_string(broker_->port()),
                                       "-t",
                                       "peer/topic",
                                       "-q",
                                       message.qos,
                                       message.payload.empty() ? "-n" : "-s"};
    if (message.retain) {
      arguments.emplace_back("-r");
    }
    arguments.insert(arguments.end(), message.properties.begin(), message.properties.end());
    const Result result = run({.command = arguments}, message.payload);
    EXPECT_EQ(result.status, 0) << result.report;
  }

  [[nodiscard]] int count(const std::string& text) const {
    const std::string log = broker_->log();
    int times = 0;
    for (auto at = log.find(text); at != std::string::npos; at = log.find(text, at + 1)) {
      ++times;
    }
    return times;
  }

  void wait_for_subscriptions(int wanted) const {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (count("Sending SUBACK") < wanted) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << broker_->log();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  std::unique_ptr<Broker> broker_;
  int subscriptions_ = 0;
};

const std::string text = "hello world";
const std::string utf8 = "28 °C \xF0\x9F\x98\x80";
const std::string binary = "\x01\xFF\x80 a\r\n\t\x1B[31m";
const std::string json = R"({"suhu":28.5,"unit":"°C","values":[1,2,{"x":null}],"empty":{},"none":[],"ok":true})";

TEST_F(MosquittoSub, PrintsPayloadsAlike) {
  const std::vector<Sent> messages{{text}, {""}, {utf8}, {binary}, {json, "1"}, {"\n"}, {"\0x\0"s, "2"}};
  for (const std::vector<std::string>& options : {std::vector<std::string>{}, {"-v"}, {"-N"}, {"-v", "-N"}}) {
    std::vector<std::string> arguments{"-t", "peer/#", "-q", "2", "-C", "7"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    compare(arguments, messages);
  }
}

TEST_F(MosquittoSub, FormatsAlike) {
  const std::vector<Sent> messages{{text}, {""}, {utf8, "1"}, {"\0x\0"s}, {json}, {binary, "2"}};
  for (const std::string format : {
           "%t|%12t|%-12t|%012t|%3t|%.3t|%12.3t|%-12.3t|%.0t|",
           "%p|%l|%q|%r|%x|%X|%%|%5%",
           "%12p|%-12p|%012p|%-012p|%3p|%.3p|%1p|",
           "%l|%4l|%-4l|%04l|%-04l|%.2l|%5q|%-5q|%5r|%05r",
           "%A|%4A|%-4A|%04A|%-04A|%C|%4C|%-4C|%E|%4E|%04E|%F|%3F|%S|%3S|%03S|%D|%P|%R|",
           R"(\\|\0|\a|\e|\n|\r|\t|\v|@@|@%|@q|@n|@t)",
           "%U",
           "@Y-@m-@d @z @Z",
           "text only, °C",
           "",
       }) {
    compare({"-t", "peer/#", "-q", "2", "-C", "6", "-F", format}, messages);
  }
}

TEST_F(MosquittoSub, JsonIsAlike) {
  for (const std::vector<std::string>& options :
       {std::vector<std::string>{"-F", "%j"}, {"-F", "%j", "--pretty"}, {"-F", "%j", "-N"}, {"-F", "%t %j %j"}}) {
    std::vector<std::string> arguments{"-t", "peer/#", "-C", "5"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    compare(arguments, {{text}, {""}, {utf8}, {"\x01\x7F\b\f\r\n\t\"\\/"}, {json}});
  }
  for (const std::vector<std::string>& options : {std::vector<std::string>{"-F", "%J"}, {"-F", "%J", "--pretty"}}) {
    std::vector<std::string> arguments{"-t", "peer/#", "-C", "6"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    compare(arguments, {{json}, {""}, {" [ 1 , 2 ]\n"}, {"true"}, {"\"°\\n\""}, {"[[],[{}],{\"a\":{\"b\":[]}}]"}});
  }
}

TEST_F(MosquittoSub, PropertiesAreAlike) {
  const std::vector<std::string> properties{"-V",
                                            "5",
                                            "-D",
                                            "publish",
                                            "user-property",
                                            "k",
                                            "1",
                                            "-D",
                                            "publish",
                                            "content-type",
                                            "text/plain",
                                            "-D",
                                            "publish",
                                            "user-property",
                                            "m",
                                            "two",
                                            "-D",
                                            "publish",
                                            "user-property",
                                            "k",
                                            "3",
                                            "-D",
                                            "publish",
                                            "correlation-data",
                                            "c",
                                            "-D",
                                            "publish",
                                            "response-topic",
                                            "r/t",
                                            "-D",
                                            "publish",
                                            "payload-format-indicator",
                                            "1",
                                            "-D",
                                            "publish",
                                            "message-expiry-interval",
                                            "4000"};
  for (const char* format : {"%j", "%A|%C|%14C|%.4C|%D|%E|%06E|%F|%3F|%P|%R|%.1R|%S|%m"}) {
    compare({"-t", "peer/#", "-V", "5", "-q", "1", "-C", "2", "-F", format}, {{"x", "1", false, properties}, {"y"}});
  }
}

TEST_F(MosquittoSub, RetainedMessagesAreHandledAlike) {
  const std::vector<Sent> messages{{"kept", "1", true}, {"new"}, {"newer"}};
  compare({"-t", "peer/#", "-F", "%r %p", "-C", "2"}, messages);
  compare({"-t", "peer/#", "-v", "-R", "-C", "2"}, messages);
  compare({"-t", "peer/#", "-v", "--retained-only"}, messages);
  compare({"-t", "peer/#", "-v", "--retained-only", "-T", "peer/+"}, messages);
  compare({"-t", "peer/#", "-v", "--retained-only", "-C", "1"}, messages);
}

TEST_F(MosquittoSub, EndsAlike) {
  compare({"-t", "peer/#", "-E"}, {});
  compare({"-t", "peer/#", "-W", "1"}, {});
  compare({"-t", "peer/#", "-T", "peer/topic", "-C", "1", "-W", "1"}, {{"x"}});
}

TEST_F(MosquittoSub, RefusesTheSameFormats) {
  for (const char* format :
       {"%", "%z", "%5", "%-", "%0", "%.", "%5.", "%5.3", "@", "a@", "\\", "\\q", "%t\\1", "%0-5t"}) {
    for (const Start& start : {theirs({"-t", "a", "-F", format}), ours({"-t", "a", "-F", format})}) {
      const Result result = run(start);
      EXPECT_NE(result.status, 0) << result.report;
      EXPECT_EQ(result.out, "") << result.report;
    }
  }
}

}  // namespace
}  // namespace sistem::test
