// A broker that sends what would act on a terminal, or look like a line of ours, wherever it can send text: on a real
// terminal, in every mode, and on both streams. (tests/unit/harmless_test.cpp has all the characters.)
#include <gtest/gtest.h>

#include <string>

#include "tests/integration/tools.hpp"
#include "tests/support/rogue_broker.hpp"
#include "tests/support/terminal.hpp"

namespace sistem::test {
namespace {

using namespace std::string_literals;

/// A title for the window, a colour by CSI in one character, a right-to-left override, a line separator, and a line.
const std::string hostile = "x\x1b]0;owned\x07\xC2\x9B" + "31m\xE2\x80\xAEtxt\xE2\x80\xA8"s + "y\nforged: all is well"s;

const std::string_view must_not_be_seen[] = {"\x1b]", "\x07", "\xC2\x9B", "\xE2\x80\xAE", "\xE2\x80\xA8", "\nforged"};

std::string with_size(const std::string& text) {
  return std::string{static_cast<char>(text.size() >> 8U), static_cast<char>(text.size() & 0xFFU)} + text;
}

/// A number of at most two bytes, as MQTT writes lengths.
std::string varint(std::size_t number) {
  return number < 128 ? std::string(1, static_cast<char>(number))
                      : std::string{static_cast<char>(number % 128 | 0x80U), static_cast<char>(number / 128)};
}

std::string packet_of(char first, const std::string& rest) { return first + varint(rest.size()) + rest; }

std::string properties(const std::string& all) { return varint(all.size()) + all; }

const std::string reason_string = "\x1F" + with_size(hostile);
const std::string user_property = "\x26" + with_size(hostile) + with_size(hostile);
const std::string server_reference = "\x1C" + with_size(hostile);

const std::string connack_bytes =
    packet_of('\x20', "\0\0"s + properties(reason_string + user_property + "\x12" + with_size(hostile)));
const std::string refusal = packet_of('\x20', "\0\x9D"s + properties(reason_string + user_property + server_reference));
const std::string suback_bytes = packet_of('\x90', "\0\1"s + properties(reason_string + user_property) + "\0"s);
const std::string no_suback = packet_of('\x90', "\0\1"s + properties(reason_string + user_property) + "\x87"s);
const std::string disconnect = packet_of('\xE0', "\x9C" + properties(reason_string + user_property + server_reference));

std::string message(const std::string& topic, const std::string& payload) {
  const std::string all =
      user_property + "\x03" + with_size(hostile) + "\x08" + with_size(hostile) + "\x09" + with_size(hostile);
  return packet_of('\x30', with_size(topic) + properties(all) + payload);
}

/// A tool on a terminal, at that port. With "-d", which says on stderr all that comes, unless it is mosquitto_sub.
std::vector<std::string> command(const std::string& tool, std::uint16_t port, const Arguments& arguments,
                                 const std::string& term = "xterm-256color") {
  Arguments words{"env",
                  "-i",
                  "PATH=/usr/bin:/bin",
                  "HOME=/nonexistent",
                  "TERM=" + term,
                  tried(tool),
                  "-h",
                  "127.0.0.1",
                  "-p",
                  std::to_string(port),
                  "-V",
                  "5"};
  return words + arguments;
}

void expect_harmless(const std::string& screen) {
  for (const std::string_view bytes : must_not_be_seen) {
    EXPECT_EQ(screen.find(bytes), std::string::npos) << testing::PrintToString(bytes) << " in\n"
                                                     << testing::PrintToString(screen);
  }
  EXPECT_NE(screen.find("\\x1b]0;owned\\x07\\u009b31m\\u202etxt\\u2028y\\n"), std::string::npos)
      << "nothing was spelled out:\n"
      << testing::PrintToString(screen);
}

TEST(HarmlessBroker, NoModeOfSubCanBeMisused) {
  const Arguments modes[] = {{},
                             {"-v"},
                             {"-v", "-N"},
                             {"-v", "--null"},
                             {"--json"},
                             {"--csv"},
                             {"--hex"},
                             {"-F", "%t %p %C %R %D %P"},
                             {"-F", "%j"},
                             {"-F", "%j", "--pretty"},
                             {"-F", "%t", "-N"},
                             {"--color", "never"},
                             {"--watch"},
                             {"--graph", "."},
                             {"--message-rate"},
                             {"--verify"}};
  for (const Arguments& mode : modes) {
    for (const std::string term : {"xterm-256color", "dumb"}) {
      SCOPED_TRACE(testing::PrintToString(mode) + " on " + term);
      const RogueBroker rogue{{{RogueBroker::connect_packet, connack_bytes},
                               {RogueBroker::subscribe_packet, suback_bytes + message(hostile, hostile) + disconnect}}};
      Terminal terminal{command(SUB, rogue.port(), Arguments{"-t", "#", "-d"} + mode, term)};
      EXPECT_EQ(terminal.wait(), 4) << terminal.screen();
      expect_harmless(terminal.screen());
    }
  }
}

TEST(HarmlessBroker, APayloadAloneKeepsItsLinesAndNothingElse) {
  for (const char* end : {"-N", "--null"}) {
    const RogueBroker rogue{{{RogueBroker::connect_packet, connack_bytes},
                             {RogueBroker::subscribe_packet, suback_bytes + message("t", hostile)}}};
    Terminal terminal{command(SUB, rogue.port(), {"-t", "#", "-C", "1", "--quiet", end})};
    EXPECT_EQ(terminal.wait(), 0) << terminal.screen();
    EXPECT_NE(terminal.screen().find("\\x1b]0;owned\\x07\\u009b31m\\u202etxt\\u2028y\r\nforged: all is well"),
              std::string::npos)
        << terminal.screen();
  }
}

TEST(HarmlessBroker, ARefusalIsSpelledOut) {
  const struct {
    std::string tool;
    Arguments arguments;
    std::vector<RogueBroker::Reply> replies;
    int status;
  } rows[] = {
      {SUB, {"-t", "#"}, {{RogueBroker::connect_packet, refusal}}, 4},
      {PUB, {"-t", "a", "-m", "x"}, {{RogueBroker::connect_packet, refusal}}, 4},
      {SUB, {"-t", "#"}, {{RogueBroker::connect_packet, connack_bytes}, {RogueBroker::subscribe_packet, no_suback}}, 5},
      {PUB,
       {"-t", "a", "-m", "x", "-q", "1"},
       {{RogueBroker::connect_packet, connack_bytes},
        {RogueBroker::publish_packet, packet_of('\x40', "\0\1\x87"s + properties(reason_string + user_property))}},
       5},
      {PUB,
       {"-t", "a", "-m", "x", "-q", "1"},
       {{RogueBroker::connect_packet, connack_bytes}, {RogueBroker::publish_packet, disconnect}},
       4},
  };
  for (const auto& row : rows) {
    const RogueBroker rogue{row.replies};
    Terminal terminal{command(row.tool, rogue.port(), row.arguments)};
    EXPECT_EQ(terminal.wait(), row.status) << terminal.screen();
    expect_harmless(terminal.screen());
    // Into a pipe what is said to a person is spelled out as well: it may be a log that somebody looks at.
    const RogueBroker again{row.replies};
    const Result result = run(tool(row.tool.c_str(), again.port(), Arguments{"-V", "5"} + row.arguments));
    EXPECT_EQ(result.status, row.status) << result.report;
    expect_harmless(result.err);
  }
}

TEST(HarmlessBroker, AnAnswerIsSpelledOut) {
  const auto replies = [] {
    return std::vector<RogueBroker::Reply>{{RogueBroker::connect_packet, "\x20\x02\0\0"s},
                                           {RogueBroker::subscribe_packet, "\x90\x03\0\1\0"s},
                                           {RogueBroker::publish_packet, packet_of('\x30', with_size("r") + hostile)}};
  };
  const Arguments request{"-V", "311", "--request", "-t", "a", "-m", "x", "--response-topic", "r"};
  const RogueBroker one{replies()};
  Terminal single{command(PUB, one.port(), request)};
  EXPECT_EQ(single.wait(), 0) << single.screen();
  EXPECT_EQ(single.screen(), "x\\x1b]0;owned\\x07\\u009b31m\\u202etxt\\u2028y\r\nforged: all is well\r\n");

  const RogueBroker two{replies()};
  Terminal several{command(PUB, two.port(), request + Arguments{"--repeat", "2"})};
  EXPECT_EQ(several.wait(), 0) << several.screen();
  expect_harmless(several.screen());

  const RogueBroker three{replies()};
  const Result result = run(tool(PUB, three.port(), request));
  EXPECT_EQ(result.out, hostile + "\n") << result.report;  // a program gets the bytes
}

}  // namespace
}  // namespace sistem::test
