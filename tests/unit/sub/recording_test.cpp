#include "sub/recording.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>

#include "common/mqtt/record.hpp"
#include "common/process/error.hpp"
#include "tests/support/temporary.hpp"

namespace sistem {
namespace {

using namespace std::string_literals;

std::string bytes_in_file(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>(file), {}};
}

/// What a file holds, read as pub --replay reads it.
std::vector<Message> messages_in(const std::filesystem::path& path) {
  std::vector<Message> messages;
  std::ifstream file{path, std::ios::binary};
  for (std::string line; std::getline(file, line);) {
    messages.push_back(read_record(line).message);
  }
  return messages;
}

void expect_same(const std::vector<Message>& read, const std::vector<Message>& kept) {
  ASSERT_EQ(read.size(), kept.size());
  for (std::size_t at = 0; at < kept.size(); ++at) {
    EXPECT_EQ(read[at].topic, kept[at].topic);
    EXPECT_EQ(read[at].payload, kept[at].payload) << kept[at].topic;
    EXPECT_EQ(read[at].qos, kept[at].qos) << kept[at].topic;
    EXPECT_EQ(read[at].retain, kept[at].retain) << kept[at].topic;
    EXPECT_EQ(read[at].dup, kept[at].dup) << kept[at].topic;
    EXPECT_EQ(read[at].packet_id, kept[at].packet_id) << kept[at].topic;
    EXPECT_EQ(read[at].arrival, kept[at].arrival) << kept[at].topic;
    EXPECT_EQ(read[at].arrival_steady, kept[at].arrival_steady) << kept[at].topic;
    EXPECT_TRUE(read[at].properties == kept[at].properties) << kept[at].topic;
  }
}

const std::vector<Message> kept_messages = [] {
  std::vector<Message> messages;
  for (const auto& payload : {"28 °C"s, ""s, "a\0b"s, "\xFF\xC3"s, "line\r\n\"\\\x1B\x7F"s, "{\"t\": 27.0}"s,
                              std::string(std::size_t{1024} * 1024, '\xA5')}) {
    Message message{.topic = "a/" + std::to_string(messages.size()), .payload = payload};
    message.qos = static_cast<int>(messages.size() % 3);
    message.retain = messages.size() % 2 == 1;
    message.packet_id = static_cast<std::uint16_t>(message.qos > 0 ? messages.size() : 0);
    message.dup = message.qos > 0;
    message.arrival = std::chrono::system_clock::time_point(std::chrono::nanoseconds(1470818858000012345));
    message.arrival_steady = std::chrono::steady_clock::time_point(std::chrono::nanoseconds(42));
    message.properties = {{38, 0, "v", "k"}, {38, 0, "", "k"}, {3, 0, "text/plain"}, {9, 0, payload.substr(0, 9)}};
    messages.push_back(message);
  }
  return messages;
}();

TEST(Recording, IsReadBackAsItWasKept) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "r.jsonl";
  Recording recording{path, Recording::Begin::anew};
  for (const Message& message : kept_messages) {
    recording.keep(message);
  }
  recording.flush();
  expect_same(messages_in(path), kept_messages);
}

TEST(Recording, BeginsAnewOrBehindWhatIsThere) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "r.jsonl";
  const Message& first = kept_messages[0];
  const Message& second = kept_messages[2];
  const auto record = [&](const Message& message, Recording::Begin begin) {
    Recording{path, begin}.keep(message);  // written as it is destroyed
    return messages_in(path);
  };
  expect_same(record(first, Recording::Begin::behind), {first});  // the file need not be there
  expect_same(record(second, Recording::Begin::behind), {first, second});
  expect_same(record(second, Recording::Begin::anew), {second});
  (void)Recording(path, Recording::Begin::behind);
  expect_same(messages_in(path), {second});
  (void)Recording(path, Recording::Begin::anew);
  expect_same(messages_in(path), {});
}

TEST(Recording, IsWrittenWhereItIsFlushedOrMuchHasBeenGathered) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "r.jsonl";
  Recording recording{path, Recording::Begin::anew};
  recording.keep({.topic = "a"});
  EXPECT_EQ(bytes_in_file(path), "");
  recording.flush();
  const std::string line = "{\"topic\":\"a\",\"payload\":\"\",\"qos\":0,\"retain\":false}\n";
  EXPECT_EQ(bytes_in_file(path), line);
  recording.flush();
  EXPECT_EQ(bytes_in_file(path), line);
  recording.keep({.topic = "a", .payload = std::string(std::size_t{64} * 1024, 'x')});
  EXPECT_EQ(messages_in(path).size(), 2U);
}

/// What it is said to end with; nothing is said otherwise.
std::string end_of(const std::function<void()>& recording) {
  try {
    recording();
    return "nothing";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::failure);
    return error.what();
  }
}

TEST(Recording, AFileThatCannotBeWrittenIsToldAtOnce) {
  const test::TemporaryFolder folder;
  const std::string path = folder.path();
  const auto opened = [](const std::string& file) {
    return end_of([&] { (void)Recording(file, Recording::Begin::anew); });
  };
  EXPECT_EQ(opened(path), "cannot record to " + path + ": Is a directory");
  EXPECT_EQ(opened(path + "/no/r"), "cannot record to " + path + "/no/r: No such file or directory");
  EXPECT_EQ(opened("/dev/full"), "nothing");  // which shows only where something is written
}

TEST(Recording, AFullDiskIsToldWithWhatIsInTheFile) {
  for (const auto begin : {Recording::Begin::anew, Recording::Begin::behind}) {
    Recording recording{"/dev/full", begin};
    recording.flush();
    recording.keep({.topic = "a"});
    recording.keep({.topic = "b"});
    EXPECT_EQ(end_of([&] { recording.flush(); }),
              "cannot record to /dev/full: No space left on device; it holds 0 messages of this run");
    recording.flush();  // and of what is lost nothing is tried again
    EXPECT_EQ(end_of([&] { recording.keep({.topic = "a", .payload = std::string(std::size_t{64} * 1024, 'x')}); }),
              "cannot record to /dev/full: No space left on device; it holds 0 messages of this run");
  }
}

/// Files end here, for this process, as on a disk that is full.
class SmallDisk {
 public:
  explicit SmallDisk(std::size_t bytes) : handler_(::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  sighandler_t handler_;
};

TEST(Recording, OfADiskThatIsFullInTheMidstTheWholeLinesStay) {
  const test::TemporaryFolder folder;
  const Message one{.topic = "a", .payload = std::string(100, 'x')};
  std::string line;
  append_record(one, line);
  line += '\n';
  struct Row {
    std::size_t before;   ///< messages that are there already
    std::size_t flushed;  ///< messages of this run that have been written
    std::size_t room;     ///< bytes that are left then, for four more
    std::size_t in_file;  ///< messages at the end
    std::string told;
  };
  const std::size_t size = line.size();
  const Row table[] = {
      {0, 0, 10, 0, "0 messages"},       {0, 0, size, 1, "1 message"},          {0, 0, 2 * size - 1, 1, "1 message"},
      {0, 2, size / 2, 2, "2 messages"}, {0, 1, 3 * size + 1, 4, "4 messages"}, {3, 0, size - 1, 3, "0 messages"},
      {3, 1, size + 7, 5, "2 messages"}, {1, 0, 4 * size - 1, 4, "3 messages"},
  };
  for (const Row& row : table) {
    const auto path = folder.path() / "r.jsonl";
    {
      Recording earlier{path, Recording::Begin::anew};
      for (std::size_t count = 0; count < row.before; ++count) {
        earlier.keep(one);
      }
    }
    Recording recording{path, Recording::Begin::behind};
    for (std::size_t count = 0; count < row.flushed; ++count) {
      recording.keep(one);
    }
    recording.flush();
    for (int count = 0; count < 4; ++count) {
      recording.keep(one);
    }
    std::string end;
    {
      const SmallDisk disk{(row.before + row.flushed) * size + row.room};
      end = end_of([&] { recording.flush(); });
    }
    EXPECT_EQ(end, "cannot record to " + path.string() + ": File too large; it holds " + row.told + " of this run");
    expect_same(messages_in(path), std::vector<Message>(row.in_file, one));
  }
}

TEST(Recording, AHalfLineOfAnotherStaysByItself) {
  const test::TemporaryFolder folder;
  const auto path = folder.write("r.jsonl", "{\"topic\":\"half");  // its recorder was killed
  Recording{path, Recording::Begin::behind}.keep({.topic = "whole"});
  EXPECT_TRUE(bytes_in_file(path).starts_with("{\"topic\":\"half\n{\"topic\":\"whole\"")) << bytes_in_file(path);
}

}  // namespace
}  // namespace sistem
