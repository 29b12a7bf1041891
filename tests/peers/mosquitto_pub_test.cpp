// pub beside mosquitto_pub: from the same words and the same input a subscriber gets the same messages.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/broker.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temporary.hpp"

namespace sistem::test {
namespace {

using namespace std::string_literals;

/// Both tools of a kind come from the package mosquitto-clients.
bool has_mosquitto_pub() {
  const Start ask{.command = {"sh", "-c", "command -v mosquitto_pub && command -v mosquitto_sub"}};
  return run(ask).status == 0;
}

class BesideMosquittoPub : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_MOSQUITTO();
    if (!has_mosquitto_pub()) {
      GTEST_SKIP() << "mosquitto-clients are not installed (tests/run installs them)";
    }
  }

  /// What a subscriber sees of one run: a line for each message, topic|QoS|retain|length|payload in hexadecimal.
  static std::string seen_of(const char* executable, std::vector<std::string> arguments, const std::string& input) {
    const Broker broker{"allow_anonymous true\nmax_queued_messages 0\n"};  // drops nothing for a slow subscriber
    const std::string port = std::to_string(broker.port());
    // With its own Receive Maximum of 20, mosquitto_sub 2.0.11 takes a flood of QoS 2 for a breach of it.
    Process listener{{.command = {"mosquitto_sub",
                                  "-h",
                                  "127.0.0.1",
                                  "-p",
                                  port,
                                  "-i",
                                  "listener",
                                  "-V",
                                  "mqttv5",
                                  "-D",
                                  "connect",
                                  "receive-maximum",
                                  "65535",
                                  "-t",
                                  "#",
                                  "-q",
                                  "2",
                                  "--retain-as-published",
                                  "-F",
                                  "%t|%q|%r|%l|%x"}}};
    broker.wait_for_log("Sending SUBACK to listener");
    arguments.insert(arguments.begin(), {executable, "-h", "127.0.0.1", "-p", port, "-i", "publisher", "-t", "lab/a"});
    const Result result = run({.command = std::move(arguments)}, input);
    EXPECT_EQ(result.status, 0) << result.report;
    EXPECT_EQ(result.out + result.err, "");
    broker.wait_for_log("Client publisher ");  // has gone, in whatever words
    const Result end = run({.command = {"mosquitto_pub", "-h", "127.0.0.1", "-p", port, "-t", last, "-n", "-q", "2"}});
    EXPECT_EQ(end.status, 0) << end.report;
    listener.wait_for_stdout(last_line);
    EXPECT_TRUE(listener.out().ends_with(last_line)) << listener.report();
    return listener.out().substr(0, listener.out().size() - last_line.size());
  }

  /// Both get the same from the same words and the same stdin; what they get.
  static std::string expect_the_same(const std::vector<std::string>& arguments, const std::string& input = {}) {
    const std::string theirs = seen_of("mosquitto_pub", arguments, input);
    std::string ours = seen_of(PUB, arguments, input);
    EXPECT_TRUE(ours == theirs) << testing::PrintToString(arguments) << "\nmosquitto_pub:\n"
                                << theirs.substr(0, 1000) << "\npub:\n"
                                << ours.substr(0, 1000);
    return ours;
  }

  TemporaryFolder folder_;

 private:
  static inline const std::string last = "the/end";
  static inline const std::string last_line = "the/end|2|0|0|\n";
};

TEST_F(BesideMosquittoPub, AnArgument) {
  EXPECT_EQ(expect_the_same({"-m", "28.0 °C"}), "lab/a|0|0|8|32382e3020c2b043\n");
}

TEST_F(BesideMosquittoPub, AnEmptyArgument) { EXPECT_EQ(expect_the_same({"-m", ""}), "lab/a|0|0|0|\n"); }

TEST_F(BesideMosquittoPub, NoPayload) { EXPECT_EQ(expect_the_same({"-n"}), "lab/a|0|0|0|\n"); }

TEST_F(BesideMosquittoPub, EveryQosAndRetain) {
  for (const char* qos : {"0", "1", "2"}) {
    EXPECT_EQ(expect_the_same({"-m", "x", "-q", qos}), "lab/a|"s + qos + "|0|1|78\n");
    EXPECT_EQ(expect_the_same({"-m", "x", "-r", "-q", qos}), "lab/a|"s + qos + "|1|1|78\n");
  }
}

TEST_F(BesideMosquittoPub, AFileOfAnyBytes) {
  const auto file = folder_.write("bytes", "a\0\xFF\r\n\n"s);
  EXPECT_EQ(expect_the_same({"-f", file.string()}), "lab/a|0|0|6|6100ff0d0a0a\n");
}

TEST_F(BesideMosquittoPub, AnEmptyFile) {
  EXPECT_EQ(expect_the_same({"-f", folder_.write("empty", "").string()}), "lab/a|0|0|0|\n");
}

TEST_F(BesideMosquittoPub, AllOfStdin) {
  EXPECT_EQ(expect_the_same({"-s", "-q", "1"}, "a\0\xFF\r\n\n"s), "lab/a|1|0|6|6100ff0d0a0a\n");
}

TEST_F(BesideMosquittoPub, MuchOfStdin) {
  EXPECT_GT(expect_the_same({"-s", "-q", "1"}, std::string(3 << 20, 'x')).size(), 6U << 20);
}

TEST_F(BesideMosquittoPub, EachLineOfStdinTheEmptyAndTheUnendedToo) {
  for (const char* qos : {"0", "1", "2"}) {
    const auto line = [&](const char* rest) { return fmt::format("lab/a|{}|0|{}\n", qos, rest); };
    EXPECT_EQ(expect_the_same({"-l", "-q", qos}, "one\n\n\xFF\r\nlast"),
              line("3|6f6e65") + line("0|") + line("2|ff0d") + line("4|6c617374"));
  }
}

TEST_F(BesideMosquittoPub, AVeryLongLine) {
  EXPECT_GT(expect_the_same({"-l", "-q", "1"}, std::string(1 << 20, 'x') + "\nshort\n").size(), 2U << 20);
}

TEST_F(BesideMosquittoPub, ManyLinesInTheirOrder) {
  std::string input;
  for (int line = 0; line < 2000; ++line) {
    input += fmt::format("line {}\n", line);
  }
  for (const char* qos : {"0", "1", "2"}) {
    // mosquitto_pub 2.1.2 ends before the last ones are sent.
    const std::string theirs = seen_of("mosquitto_pub", {"-l", "-q", qos}, input);
    const std::string ours = seen_of(PUB, {"-l", "-q", qos}, input);
    EXPECT_TRUE(ours.starts_with(theirs)) << "at QoS " << qos;
    EXPECT_EQ(std::count(ours.begin(), ours.end(), '\n'), 2000) << "at QoS " << qos;
  }
}

TEST_F(BesideMosquittoPub, Repeats) {
  const auto file = folder_.write("again", "again");
  for (const char* qos : {"0", "1", "2"}) {
    const std::string line = fmt::format("lab/a|{}|0|5|616761696e\n", qos);
    const std::string twice = line + line;
    EXPECT_EQ(expect_the_same({"-m", "again", "--repeat", "3", "-q", qos}), twice + line);
    EXPECT_EQ(expect_the_same({"-f", file.string(), "--repeat", "2", "-q", qos}), twice);
    EXPECT_EQ(expect_the_same({"-s", "--repeat", "2", "--repeat-delay", "0.01", "-q", qos}, "again"), twice);
  }
}

/// mosquitto_pub 2.0.11 ends a line's payload at its first NUL; a payload is any bytes [MQTT-3.3.3], so ours goes on.
TEST_F(BesideMosquittoPub, OursTakesALineWithNulWhole) {
  EXPECT_EQ(seen_of(PUB, {"-l"}, "a\0b\n"s), "lab/a|0|0|3|610062\n");
}

/// mosquitto_pub publishes nothing either, and ends with status 1.
TEST_F(BesideMosquittoPub, EmptyStdinIsNoMessageForBoth) {
  const Broker broker;
  for (const char* executable : {"mosquitto_pub", PUB}) {
    const Result result =
        run({.command = {executable, "-h", "127.0.0.1", "-p", std::to_string(broker.port()), "-t", "lab/a", "-s"}});
    EXPECT_EQ(result.status, 1) << result.report;
  }
}

/// A file that is missing ends both with status 1.
TEST_F(BesideMosquittoPub, AMissingFileIsStatus1ForBoth) {
  const Broker broker;
  for (const char* executable : {"mosquitto_pub", PUB}) {
    const Result result = run({.command = {executable, "-h", "127.0.0.1", "-p", std::to_string(broker.port()), "-t",
                                           "lab/a", "-f", "/nonexistent"}});
    EXPECT_EQ(result.status, 1) << result.report;
  }
}

}  // namespace
}  // namespace sistem::test
