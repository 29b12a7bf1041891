#include "pub/source.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "common/error.hpp"
#include "tests/support/pipe.hpp"

namespace sistem {
namespace {

using namespace std::string_literals;

/// All payloads that lines_of() makes of `input`, written by another thread as a pipe's other end.
std::vector<std::string> payloads_of(const std::string& input) {
  test::Pipe pipe;
  std::jthread writer([&] {
    pipe.write(input);
    pipe.close_writer();
  });
  Source source = lines_of(pipe.reader(), "input", {"topic", "", 1, true});
  std::vector<std::string> payloads;
  for (auto turn = source({}); !turn.empty(); turn = source({})) {
    for (const Message& message : turn) {
      EXPECT_EQ(message.topic, "topic");
      EXPECT_EQ(message.qos, 1);
      EXPECT_TRUE(message.retain);
      payloads.push_back(message.payload);
    }
  }
  return payloads;
}

using Payloads = std::vector<std::string>;

TEST(LinesOf, EachLineIsAPayload) { EXPECT_EQ(payloads_of("one\ntwo\n"), (Payloads{"one", "two"})); }
TEST(LinesOf, TheLastLineNeedsNoNewline) { EXPECT_EQ(payloads_of("one\ntwo"), (Payloads{"one", "two"})); }
TEST(LinesOf, AnEmptyLineIsAnEmptyPayload) { EXPECT_EQ(payloads_of("one\n\ntwo\n"), (Payloads{"one", "", "two"})); }
TEST(LinesOf, NoInputIsNoMessage) { EXPECT_EQ(payloads_of(""), Payloads{}); }
TEST(LinesOf, ANewlineAloneIsOneEmptyPayload) { EXPECT_EQ(payloads_of("\n"), Payloads{""}); }
TEST(LinesOf, BytesStayAsTheyAre) { EXPECT_EQ(payloads_of("a\0b\r\n\xFF\xFE\n"s), (Payloads{"a\0b\r"s, "\xFF\xFE"})); }
TEST(LinesOf, ALineMayBeLongerThanAnyBlock) {
  const std::string much(1 << 20, 'x');
  EXPECT_EQ(payloads_of(much + "\nshort\n"), (Payloads{much, "short"}));
}
TEST(LinesOf, ManyLinesComeInOrder) {
  std::string input;
  Payloads expected;
  for (int line = 0; line < 50000; ++line) {
    expected.push_back(std::to_string(line));
    input += expected.back() + "\n";
  }
  EXPECT_EQ(payloads_of(input), expected);
}

TEST(LinesOf, AStopEndsTheWaitForInput) {
  const test::Pipe pipe;
  Source source = lines_of(pipe.reader(), "input", {"topic"});
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_TRUE(source(stop.get_token()).empty());
}

TEST(LinesOf, InputThatCannotBeReadIsNamed) {
  const int folder = ::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  Source source = lines_of(folder, "stdin", {"topic"});
  try {
    (void)source({});
    ADD_FAILURE() << "read a folder";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "cannot read stdin: Is a directory");
  }
  ::close(folder);
}

TEST(OneMessage, ComesOnce) {
  Source source = one_message({"topic", "payload", 2, false});
  const auto turn = source({});
  ASSERT_EQ(turn.size(), 1U);
  EXPECT_EQ(turn[0].payload, "payload");
  EXPECT_TRUE(source({}).empty());
}

TEST(ReadingsOf, ATurnIsAllReadingsOfAMoment) {
  Source source = readings_of(Readings{}, {"", "", 1, true});
  for (int round = 0; round < 2; ++round) {
    const auto turn = source({});
    ASSERT_FALSE(turn.empty());
    for (const Message& message : turn) {
      EXPECT_TRUE(message.topic.starts_with("sistem/")) << message.topic;
      EXPECT_FALSE(message.payload.empty());
      EXPECT_EQ(message.qos, 1);
      EXPECT_TRUE(message.retain);
    }
  }
}

}  // namespace
}  // namespace sistem
