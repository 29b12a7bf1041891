#include "common/console.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <string>

namespace sistem {
namespace {

/// Takes the cursor to the beginning of its line and empties that [ECMA-48, EL].
constexpr std::string_view erase_line = "\r\x1B[K";

void write_whole(int fd, const std::string& bytes) {
  // Nothing useful can be done where stderr is gone: the tool's work does not depend on it.
  [[maybe_unused]] const auto written = ::write(fd, bytes.data(), bytes.size());
}

}  // namespace

void Console::write_line(std::string_view line) const {
  std::string whole{has_status_->exchange(false) ? erase_line : ""};
  whole += fmt::format("{}: ", tool_);
  for (const char c : line) {
    // A broker's words may be among them, and must not act on the terminal or look like a line of ours.
    const auto byte = static_cast<unsigned char>(c);
    if (byte < ' ' || byte == 0x7F) {
      whole += fmt::format("\\x{:02x}", byte);
    } else {
      whole += c;
    }
  }
  whole += '\n';
  write_whole(fd_, whole);
}

void Console::status(std::string_view line) const {
  if (has_status_->exchange(!line.empty()) || !line.empty()) {
    write_whole(fd_, fmt::format("{}{}", erase_line, line));
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
  const auto now = std::chrono::system_clock::now();
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count() % 1000000;
  std::tm local{};
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  localtime_r(&seconds, &local);
  write_line(fmt::format("{:%H:%M:%S}.{:06} {}", local, micros, line));
}

}  // namespace sistem
