#include "common/output.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>
#include <thread>

#include "common/error.hpp"

namespace sistem {
namespace {

class OutputToPipe : public testing::Test {
 protected:
  OutputToPipe() {
    ::signal(SIGPIPE, SIG_IGN);  // as run_tool() does
  }
  ~OutputToPipe() override {
    close_reader();
    ::close(ends_[1]);
  }
  void close_reader() {
    if (ends_[0] >= 0) {
      ::close(std::exchange(ends_[0], -1));
    }
  }
  std::string read_all(std::size_t size) {
    std::string bytes(size, '\0');
    std::size_t got = 0;
    while (got < size) {
      const ssize_t count = ::read(ends_[0], bytes.data() + got, size - got);
      if (count <= 0) {
        break;
      }
      got += static_cast<std::size_t>(count);
    }
    bytes.resize(got);
    return bytes;
  }
  [[nodiscard]] bool anything_to_read() const {
    ::fcntl(ends_[0], F_SETFL, O_NONBLOCK);
    char byte = 0;
    return ::read(ends_[0], &byte, 1) == 1;
  }

  static std::array<int, 2> made_pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    return ends;
  }

  std::array<int, 2> ends_ = made_pipe();
  std::stop_source stop_;
  Output output_{ends_[1], stop_.get_token()};
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
  EXPECT_EQ(read_all(4), bytes);
}

TEST_F(OutputToPipe, MoreThanAPipeHoldsArrivesWhole) {
  std::string much;
  for (int line = 0; line < 100000; ++line) {
    much += std::to_string(line) + "\n";
  }
  std::string got;
  std::jthread reader([&] { got = read_all(much.size()); });
  output_.write(much);
  output_.flush();
  reader.join();
  EXPECT_EQ(got, much);
}

TEST_F(OutputToPipe, AReaderThatHasGoneIsTold) {
  EXPECT_FALSE(output_.closed());
  close_reader();
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
  EXPECT_EQ(read_all(5), "last\n");
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
