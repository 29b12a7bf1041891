#include "common/output.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "common/error.hpp"
#include "common/stop.hpp"

namespace sistem {
namespace {

// A pipe that poll(2) calls writable takes at least PIPE_BUF bytes without blocking, so a write of no more than that
// never holds up a stop.
constexpr std::size_t write_at_once = PIPE_BUF;

}  // namespace

void Output::write(std::string_view bytes) {
  compose([bytes](std::string& gathered) { gathered.append(bytes); });
}

void Output::flush() {
  std::string_view left = gathered_;
  while (!left.empty()) {
    if (wait_for(fd_, POLLOUT, never, stop_) == Woken::stopped) {
      // The end of the run is no reason to lose what fits: only a reader that does not read is not waited for.
      if (wait_for(fd_, POLLOUT, std::chrono::steady_clock::now(), {}) != Woken::ready) {
        throw Error(fmt::format("stopped with {} bytes of output that its reader did not take", left.size()));
      }
    }
    const ssize_t written = ::write(fd_, left.data(), std::min(left.size(), write_at_once));
    if (written >= 0) {
      left.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EPIPE) {
      gathered_.clear();
      throw OutputClosed{};
    } else if (errno != EINTR && errno != EAGAIN) {
      const int reason = errno;
      gathered_.clear();
      throw Error(fmt::format("cannot write to stdout: {}", std::strerror(reason)));
    }
  }
  gathered_.clear();
}

bool Output::closed() const {
  pollfd reader{fd_, 0, 0};
  return ::poll(&reader, 1, 0) == 1 && (reader.revents & POLLERR) != 0;
}

std::optional<TerminalSize> Output::terminal() const {
  if (::isatty(fd_) == 0) {
    return std::nullopt;
  }
  TerminalSize size;
  winsize told{};
  if (::ioctl(fd_, TIOCGWINSZ, &told) == 0 && told.ws_col > 0 && told.ws_row > 0) {  // a serial line does not know
    size.columns = told.ws_col;
    size.rows = told.ws_row;
  }
  return size;
}

}  // namespace sistem
