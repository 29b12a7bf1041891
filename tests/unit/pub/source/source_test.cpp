#include "pub/source/source.hpp"
#include "pub/pub_config.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "common/process/error.hpp"
#include "pub/source/input.hpp"
#include "pub/source/lines.hpp"
#include "pub/source/readings.hpp"
#include "tests/support/pipe.hpp"
#include "tests/support/temporary.hpp"

namespace sistem {
namespace {

using namespace std::string_literals;

const Console console{"pub"};

/// The source of lines that -l is.
Source lines_of(int fd, const std::string& name, const Message& pattern, const std::string& delimiter = "\n",
                std::size_t limit = std::size_t{64} << 20) {
  return messages_of(LineReader{fd, name, delimiter, limit}, payload_lines(pattern), OnBadLine::stop, console);
}

/// All payloads that -l makes of `input`, written by another thread as a pipe's other end.
std::vector<std::string> payloads_of(const std::string& input, const std::string& delimiter = "\n") {
  test::Pipe pipe;
  std::jthread writer([&] {
    pipe.write(input);
    pipe.close_writer();
  });
  Source source = lines_of(pipe.reader(), "input", {"topic", "", 1, true}, delimiter);
  std::vector<std::string> payloads;
  for (auto turn = source({}, {}).messages; !turn.empty(); turn = source({}, {}).messages) {
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
TEST(LinesOf, ALineOfAMebibyteIsOneMessage) {
  const std::string much(1 << 20, 'y');
  EXPECT_TRUE(payloads_of(much) == Payloads{much});
}
TEST(LinesOf, ANulMayEndThem) { EXPECT_EQ(payloads_of("a\nb\0\0c"s, "\0"s), (Payloads{"a\nb", "", "c"})); }
TEST(LinesOf, SeveralBytesMayEndThem) {
  EXPECT_EQ(payloads_of("a--b---c-", "--"), (Payloads{"a", "b", "-c-"}));
  std::string input;
  Payloads expected;
  for (int line = 0; line < 30000; ++line) {  // some of these ends lie on both sides of a block's
    expected.push_back(std::to_string(line));
    input += expected.back() + "<end>";
  }
  EXPECT_EQ(payloads_of(input, "<end>"), expected);
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
  EXPECT_TRUE(source({}, stop.get_token()).messages.empty());
}

TEST(LinesOf, InputThatCannotBeReadIsNamed) {
  const int folder = ::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  Source source = lines_of(folder, "stdin", {"topic"});
  try {
    (void)source({}, {});
    ADD_FAILURE() << "read a folder";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "cannot read stdin: Is a directory");
  }
  ::close(folder);
}

TEST(OneMessage, ComesOnce) {
  Source source = messages({{"topic", "payload", 2, false}});
  const auto turn = source({}, {}).messages;
  ASSERT_EQ(turn.size(), 1U);
  EXPECT_EQ(turn[0].payload, "payload");
  EXPECT_TRUE(source({}, {}).messages.empty());
}

/// What `get` complains of, and with which status.
std::string complaint(const std::function<void()>& get, ExitStatus status) {
  try {
    get();
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), status);
    return error.what();
  }
  ADD_FAILURE() << "no complaint";
  return {};
}

/// What read_whole() makes of a pipe with this content.
std::string whole(const std::string& input, std::size_t limit = 10 << 20) {
  test::Pipe pipe;
  std::jthread writer([&] {
    pipe.write(input);
    pipe.close_writer();
  });
  return read_whole(pipe.reader(), "input", limit, {});
}

TEST(ReadWhole, BytesStayAsTheyAre) { EXPECT_EQ(whole("a\0b\r\n\xFF\n\n"s), "a\0b\r\n\xFF\n\n"s); }
TEST(ReadWhole, NothingIsNothing) { EXPECT_EQ(whole(""), ""); }
TEST(ReadWhole, ThereMayBeMoreThanAPipeHolds) {
  const std::string much(1 << 20, 'x');
  EXPECT_TRUE(whole(much) == much);
}
TEST(ReadWhole, TheLimitIsInclusive) { EXPECT_EQ(whole("12345", 5), "12345"); }
TEST(ReadWhole, MoreThanTheLimitIsRefused) {
  EXPECT_EQ(complaint([] { (void)whole("123456", 5); }, ExitStatus::usage),
            "input is larger than one MQTT message can be: at most 5 bytes here");
}
TEST(ReadWhole, AStopEndsTheWaitForTheEnd) {
  const test::Pipe pipe;
  pipe.write("a part");
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_EQ(complaint([&] { (void)read_whole(pipe.reader(), "input", 100, stop.get_token()); }, ExitStatus::failure),
            "stopped before the end of input, so nothing was published");
}

TEST(PayloadLimit, IsWhatIsLeftOfTheLargestPacket) {
  EXPECT_EQ(payload_limit({"topic"}), 268'435'455U - 2 - 5 - 2 - 4);
}
TEST(PayloadLimit, PropertiesTakeOfIt) {
  Message pattern{"topic"};
  pattern.properties = {{0x26, 0, "value", "name"}};
  EXPECT_EQ(payload_limit(pattern), payload_limit({"topic"}) - 5 - 4 - 5);
}
TEST(PayloadLimit, ThatTakeTooMuchLeaveNothing) {
  Message pattern{"topic"};
  pattern.properties.resize(50, {0x26, 0, "value", "name"});
  EXPECT_EQ(payload_limit(pattern, 1000), 287U);
  EXPECT_EQ(payload_limit(pattern, 100), 0U);
}

/// A run with --file.
PubConfig publishing_file(const std::filesystem::path& file) {
  PubConfig config;
  config.topic = "topic";
  config.files = {file};
  return config;
}

TEST(SourceOf, AFileIsOneMessage) {
  const test::TemporaryFolder folder;
  PubConfig config = publishing_file(folder.write("payload", "two\nlines\0\n"s));
  config.qos = 2;
  config.retain = true;
  Source source = source_of(config, config.connection, console, {});
  const auto turn = source({}, {}).messages;
  ASSERT_EQ(turn.size(), 1U);
  EXPECT_EQ(turn[0].topic, "topic");
  EXPECT_EQ(turn[0].payload, "two\nlines\0\n"s);
  EXPECT_EQ(turn[0].qos, 2);
  EXPECT_TRUE(turn[0].retain);
  EXPECT_TRUE(source({}, {}).messages.empty());
}

TEST(SourceOf, SeveralFilesAreAMessageEach) {
  const test::TemporaryFolder folder;
  PubConfig config = publishing_file(folder.write("one", "1\n"));
  config.files.push_back(folder.write("two", "2"));
  Source source = source_of(config, config.connection, console, {});
  const auto turn = source({}, {}).messages;
  ASSERT_EQ(turn.size(), 2U);
  EXPECT_EQ(turn[0].payload, "1\n");
  EXPECT_EQ(turn[1].payload, "2");
  EXPECT_EQ(turn[1].topic, "topic");
}

TEST(SourceOf, AnEmptyFileIsAnEmptyMessage) {
  const test::TemporaryFolder folder;
  const auto turn = source_of(publishing_file(folder.write("payload", "")), {}, console, {})({}, {}).messages;
  ASSERT_EQ(turn.size(), 1U);
  EXPECT_EQ(turn[0].payload, "");
}

TEST(SourceOf, AFileThatDoesNotKnowItsSizeIsReadToItsEnd) {
  const auto turn =
      source_of(publishing_file("/proc/self/cmdline"), {}, console, {})({}, {}).messages;  // 0 bytes, says stat(2)
  ASSERT_EQ(turn.size(), 1U);
  EXPECT_NE(turn[0].payload.find("unit_tests"), std::string::npos);
}

TEST(SourceOf, AFileThatCannotBeReadIsNamedAtOnce) {
  EXPECT_EQ(complaint([] { (void)source_of(publishing_file("/nonexistent/x"), {}, console, {}); }, ExitStatus::failure),
            "cannot open /nonexistent/x: No such file or directory");
  EXPECT_EQ(complaint([] { (void)source_of(publishing_file("/"), {}, console, {}); }, ExitStatus::failure),
            "cannot read /: Is a directory");
}

TEST(SourceOf, AFileThatIsTooLargeIsRefusedWithoutReadingIt) {
  const test::TemporaryFolder folder;
  const auto file = folder.write("large", "");
  std::filesystem::resize_file(file, 1ULL << 40);  // sparse: takes no room
  EXPECT_EQ(complaint([&] { (void)source_of(publishing_file(file), {}, console, {}); }, ExitStatus::usage),
            file.string() + " is larger than one MQTT message can be: at most 268435442 bytes here");
}

TEST(SourceOf, AStopEndsTheWaitForWhoeverWritesToAFifo) {
  const test::TemporaryFolder folder;
  const auto fifo = folder.path() / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_EQ(
      complaint([&] { (void)source_of(publishing_file(fifo), {}, console, stop.get_token()); }, ExitStatus::failure),
      "stopped before the end of " + fifo.string() + ", so nothing was published");
}

TEST(SourceOf, AFifoIsReadToItsEndWhoeverComesFirst) {
  const test::TemporaryFolder folder;
  const auto fifo = folder.path() / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  std::jthread writer([&] { std::ofstream(fifo) << "through a FIFO"; });
  const auto turn = source_of(publishing_file(fifo), {}, console, {})({}, {}).messages;
  ASSERT_EQ(turn.size(), 1U);
  EXPECT_EQ(turn[0].payload, "through a FIFO");
}

TEST(SourceOf, PropertiesOfPublishGoIntoMessagesOfMqtt5) {
  PubConfig config;
  config.topic = "topic";
  config.message = "payload";
  const Property unit{0x26, 0, "°C", "unit"};
  config.connection.properties = {{PropertyPlace::connect, {0x21, 10}}, {PropertyPlace::publish, unit}};
  EXPECT_TRUE(source_of(config, config.connection, console, {})({}, {}).messages.at(0).properties.empty());
  config.connection.version = ProtocolVersion::v5;
  EXPECT_EQ(source_of(config, config.connection, console, {})({}, {}).messages.at(0).properties, std::vector{unit});
  config.topic.reset();
  EXPECT_EQ(source_of(config, config.connection, console, {})({}, {}).messages.at(0).properties, std::vector{unit})
      << "readings too";
}

TEST(ReadingsOf, ATurnIsAllReadingsOfAMoment) {
  Source source = readings_of(Readings{}, {}, {"", "", 1, true});
  for (int round = 0; round < 2; ++round) {
    const auto turn = source({}, {}).messages;
    ASSERT_FALSE(turn.empty());
    for (const Message& message : turn) {
      EXPECT_TRUE(message.topic.starts_with("sistem/")) << message.topic;
      EXPECT_FALSE(message.payload.empty());
      EXPECT_EQ(message.qos, 1);
      EXPECT_TRUE(message.retain);
    }
  }
}

TEST(ReadingsOf, OnlyThoseThatAreAskedFor) {
  PubConfig config;
  config.readings = {"cpu", "uptime"};
  config.prefix = "lab/host";
  Source source = readings_of(Readings{}, config, {});
  for (int round = 0; round < 2; ++round) {
    for (const Message& message : source({}, {}).messages) {
      EXPECT_TRUE(message.topic == "lab/host/cpu" || message.topic == "lab/host/uptime") << message.topic;
    }
  }
}

TEST(ReadingsOf, WhatIsADifferenceIsWaitedForWhereItIsAlone) {
  PubConfig config;
  config.readings = {"cpu"};
  Source source = readings_of(Readings{}, config, {});
  ASSERT_EQ(source({}, {}).messages.size(), 1U);
}

TEST(ReadingsOf, AHostThatTellsNothingIsToldOf) {
  const test::TemporaryFolder host;
  PubConfig config;
  config.readings = {"suhu"};
  Source source = readings_of(Readings{host.path()}, config, {}, std::chrono::milliseconds{0});
  EXPECT_EQ(complaint([&] { (void)source({}, {}); }, ExitStatus::failure),
            "this host tells nothing of what --readings asks for");
}

TEST(JsonOf, AReadingHasNumbersUnitAndTime) {
  const std::chrono::system_clock::time_point time{std::chrono::milliseconds(1795599000123)};
  EXPECT_EQ(json_of({"cpu", {{"value", "12.5"}}, "%"}, time),
            R"({"value":12.5,"unit":"%","time":"2026-11-25T09:30:00.123Z"})");
  EXPECT_EQ(json_of({"beban", {{"1min", "0.52"}, {"5min", "0.58"}, {"15min", "0.59"}}, ""}, time),
            R"({"1min":0.52,"5min":0.58,"15min":0.59,"time":"2026-11-25T09:30:00.123Z"})");
  EXPECT_EQ(json_of({"jaringan", {{"in", "1000"}, {"out", "50"}}, "B/s"}, time),
            R"({"in":1000,"out":50,"unit":"B/s","time":"2026-11-25T09:30:00.123Z"})");
}

}  // namespace
}  // namespace sistem
