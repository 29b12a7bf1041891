#include "common/process/output.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <thread>

#include "common/process/descriptor.hpp"
#include "common/process/error.hpp"
#include "tests/support/pipe.hpp"

namespace sistem {
namespace {

class OutputToPipe : public testing::Test {
 protected:
  [[nodiscard]] bool anything_to_read() const {
    pollfd ready{pipe_.reader(), POLLIN, 0};
    return ::poll(&ready, 1, 0) == 1;
  }
  std::string written() {
    pipe_.close_writer();
    return pipe_.read_to_end();
  }

  test::Pipe pipe_;
  std::stop_source stop_;
  Output output_{pipe_.writer(), stop_.get_token()};
};

TEST_F(OutputToPipe, WritesNothingBeforeItIsFlushed) {
  output_.write("one\n");
  EXPECT_FALSE(anything_to_read());
  output_.flush();
  EXPECT_TRUE(anything_to_read());
}

TEST_F(OutputToPipe, PassesEveryByte) {
  const std::string bytes("a\0\xFF\n", 4);
  output_.write(bytes);
  output_.flush();
  EXPECT_EQ(written(), bytes);
}

TEST_F(OutputToPipe, PassesEveryByteOfTextToo) {
  const std::string bytes("a\0\x1b[2J\xC2\x9B\xFF\n", 11);
  output_.write_text(bytes, TextLines::one);
  output_.flush();
  EXPECT_EQ(written(), bytes);
}

TEST(OutputToATerminal, ShowsTextThatWouldActOnIt) {
  int screen = -1;
  int terminal = -1;
  ASSERT_EQ(::openpty(&screen, &terminal, nullptr, nullptr, nullptr), 0);
  const Descriptor ours{screen};
  const Descriptor its{terminal};
  Output output{terminal, {}};
  output.write_text("a\x1b[2J\n");
  output.write_text("b\n\xC2\x9B", TextLines::one);
  output.write("\x1b[1m");
  output.flush();
  std::array<char, 100> shown{};
  const ssize_t count = ::read(screen, shown.data(), shown.size());
  EXPECT_EQ(std::string(shown.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0))),
            "a\\x1b[2J\r\nb\\n\\u009b\x1b[1m");
}

TEST_F(OutputToPipe, MoreThanAPipeHoldsArrivesWhole) {
  std::string much;
  for (int line = 0; line < 100000; ++line) {
    much += std::to_string(line) + "\n";
  }
  std::string got;
  std::jthread reader([&] { got = pipe_.read_to_end(); });
  output_.write(much);
  output_.flush();
  pipe_.close_writer();
  reader.join();
  EXPECT_EQ(got, much);
}

TEST_F(OutputToPipe, AReaderThatHasGoneIsTold) {
  EXPECT_FALSE(output_.closed());
  pipe_.close_reader();
  EXPECT_TRUE(output_.closed());
  output_.write("x");
  EXPECT_THROW(output_.flush(), OutputClosed);
}

TEST_F(OutputToPipe, AStopEndsTheWaitForAReaderThatDoesNotRead) {
  std::jthread stopper([&] { stop_.request_stop(); });
  EXPECT_THROW(output_.write(std::string(1 << 20, 'x')), Error);
}

TEST_F(OutputToPipe, AfterAStopWhatFitsIsStillWritten) {
  output_.write("last\n");
  stop_.request_stop();
  output_.flush();
  EXPECT_EQ(written(), "last\n");
}

TEST(Output, AFullDiskIsAnErrorThatNamesIt) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  Output output{full, {}};
  output.write("x");
  try {
    output.flush();
    ADD_FAILURE() << "written to a full disk";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "cannot write to stdout: No space left on device");
    EXPECT_EQ(error.status(), ExitStatus::failure);
  }
  ::close(full);
}

}  // namespace
}  // namespace sistem
