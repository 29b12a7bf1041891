#include "common/process/console.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <string>

#include "common/text/encoding.hpp"
#include "common/text/screen_text.hpp"
#include "common/text/wall_time.hpp"

namespace sistem {
namespace {

/// Takes the cursor to the beginning of its line and empties that [ECMA-48, EL].
constexpr std::string_view erase_line = "\r\x1B[K";

void write_at_once(int fd, const std::string& bytes) {
  // Nothing useful can be done where stderr is gone: the tool's work does not depend on it.
  [[maybe_unused]] const auto written = ::write(fd, bytes.data(), bytes.size());
}

/// Whether a line can be written without a wait.
bool has_room(int fd) {
  pollfd one{fd, POLLOUT, 0};
  const timespec at_once{};
  return ::ppoll(&one, 1, &at_once, nullptr) != 0;
}

/// Less than a screen of 24 lines holds, and than a pipe takes at once: PIPE_BUF.
constexpr std::size_t longest_line = 1500;

/// What is long without being one value of a sentence, which is shortened() where that is made. `text` is UTF-8.
std::string without_middle(const std::string& text) {
  if (text.size() <= longest_line) {
    return text;
  }
  const std::size_t end = begin_of_character(text, longest_line * 2 / 3);
  const std::size_t begin = begin_of_character(text, text.size() - longest_line / 4);
  return fmt::format("{} ... ({} bytes more) ... {}", text.substr(0, end), begin - end, text.substr(begin));
}

}  // namespace

void Console::write_line(std::string_view line) const {
  std::string whole{has_status_->exchange(false) ? erase_line : ""};
  // A broker's words may be among them, and must not act on the terminal or look like a line of ours.
  whole += fmt::format("{}: {}\n", tool_, without_middle(shown(line)));
  write_at_once(fd_, whole);
}

void Console::status(std::string_view line) const {
  if (has_status_->exchange(!line.empty()) || !line.empty()) {
    write_at_once(fd_, fmt::format("{}{}", erase_line, shown(line)));
  }
}

void Console::note(std::string_view line) const {
  if (!quiet_) {
    write_line(line);
  }
}

void Console::complain(std::string_view line) const { write_line(line); }

void Console::debug(std::string_view line) const {
  if (!debug_) {
    return;
  }
  // Packets are shown while they are sent and received: that must not wait for whoever does not read this.
  if (!has_room(fd_)) {
    ++*left_out_;
    return;
  }
  if (const std::size_t count = left_out_->exchange(0); count > 0) {
    write_line(fmt::format("{} lines of -d are left out here: nobody was reading", count));
    debug(line);
    return;
  }
  write_line(fmt::format("{} {}", time_of_day(std::chrono::system_clock::now(), 6), line));
}

}  // namespace sistem
