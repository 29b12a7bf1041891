#include "common/process/output.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "common/process/error.hpp"
#include "common/process/stop.hpp"

namespace sistem {
namespace {

/// write(2) that does not block, whoever else has the same file open in whatever mode. Nothing where the system cannot
/// do that with such a file: a terminal; a pipe before Linux 6.4.
std::optional<ssize_t> write_at_once(int fd, std::string_view bytes) {
  const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  constexpr off_t as_write = -1;
  const ssize_t written = ::pwritev2(fd, &part, 1, as_write, RWF_NOWAIT);
  const bool can = written >= 0 || (errno != EOPNOTSUPP && errno != EINVAL && errno != ENOSYS);
  return can ? std::optional(written) : std::nullopt;
}

// A pipe that poll(2) calls writable takes at least PIPE_BUF bytes without blocking, so a write of no more than that
// never holds up a stop.
constexpr std::size_t never_blocks = PIPE_BUF;

}  // namespace

void Output::write(std::string_view bytes) {
  compose([bytes](std::string& gathered) { gathered.append(bytes); });
}

void Output::flush() {
  std::string_view left = gathered_;
  while (!left.empty()) {
    auto written = write_at_once(fd_, left);
    if (!written || (*written < 0 && errno == EAGAIN)) {
      wait_for_room(left);
      written = written ? 0 : ::write(fd_, left.data(), std::min(left.size(), never_blocks));
    }
    if (*written >= 0) {
      left.remove_prefix(static_cast<std::size_t>(*written));
    } else if (errno == EPIPE) {
      gathered_.clear();
      has_lost_ = true;
      throw OutputClosed{};
    } else if (errno != EINTR && errno != EAGAIN) {
      const int reason = errno;
      gathered_.clear();
      has_lost_ = true;
      throw Error(fmt::format("cannot write to stdout: {}", std::strerror(reason)));
    }
  }
  gathered_.clear();
}

/// Until stdout takes some of what is left, which is the end of what was gathered.
void Output::wait_for_room(std::string_view left) {
  // The end of the run is no reason to lose what fits: only a reader that does not read is not waited for.
  if (wait_for(fd_, POLLOUT, never, stop_) == Woken::stopped &&
      wait_for(fd_, POLLOUT, std::chrono::steady_clock::now(), {}) != Woken::ready) {
    gathered_.erase(0, gathered_.size() - left.size());  // the rest was taken
    throw Error(fmt::format("stopped with {} bytes of output that its reader did not take", gathered_.size()));
  }
}

bool Output::closed() const {
  pollfd reader{fd_, 0, 0};
  return ::poll(&reader, 1, 0) == 1 && (reader.revents & POLLERR) != 0;
}

std::optional<TerminalSize> terminal_size(int fd) {
  if (::isatty(fd) == 0) {
    return std::nullopt;
  }
  TerminalSize size;
  winsize told{};
  if (::ioctl(fd, TIOCGWINSZ, &told) == 0 && told.ws_col > 0 && told.ws_row > 0) {  // a serial line does not know
    size.columns = told.ws_col;
    size.rows = told.ws_row;
  }
  return size;
}

}  // namespace sistem
