#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <stdexcept>
#include <string>
#include <utility>

namespace sistem::test {

/// A pipe whose two ends the test closes when it likes. A closed reader is an errno for the writer, as under
/// run_tool().
class Pipe {
 public:
  Pipe() {
    ::signal(SIGPIPE, SIG_IGN);
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0) {
      throw std::runtime_error("no pipe");
    }
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_reader();
    close_writer();
  }

  [[nodiscard]] int reader() const { return ends_[0]; }
  [[nodiscard]] int writer() const { return ends_[1]; }
  void close_reader() { close(ends_[0]); }
  void close_writer() { close(ends_[1]); }

  void write(const std::string& bytes) const {
    for (std::size_t at = 0; at < bytes.size();) {
      const ssize_t count = ::write(writer(), bytes.data() + at, bytes.size() - at);
      if (count <= 0) {
        throw std::runtime_error("cannot write to the pipe");
      }
      at += static_cast<std::size_t>(count);
    }
  }

  /// All that was written, until the writer is closed.
  [[nodiscard]] std::string read_to_end() const {
    std::string bytes;
    std::array<char, 65536> block{};
    for (ssize_t count = 0; (count = ::read(reader(), block.data(), block.size())) > 0;) {
      bytes.append(block.data(), static_cast<std::size_t>(count));
    }
    return bytes;
  }

 private:
  static void close(int& fd) {
    if (fd >= 0) {
      ::close(std::exchange(fd, -1));
    }
  }
  std::array<int, 2> ends_{};
};

}  // namespace sistem::test
