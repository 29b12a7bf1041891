#include "common/process/stop.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <vector>

#include "common/process/descriptor.hpp"
#include "common/process/error.hpp"

namespace sistem {
namespace {

/// A descriptor that becomes readable when a stop is requested, so that poll(2) can wait for that too.
class StopDescriptor {
 public:
  explicit StopDescriptor(const std::stop_token& stop)
      : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), wake_(stop, Wake{event_.get()}) {
    if (event_.get() < 0) {
      throw Error(fmt::format("cannot make an event descriptor: {}", std::strerror(errno)));
    }
  }

  [[nodiscard]] int fd() const { return event_.get(); }

 private:
  struct Wake {
    int fd;
    void operator()() const { ::eventfd_write(fd, 1); }
  };
  Descriptor event_;
  std::stop_callback<Wake> wake_;  // goes first, so that it never writes to a number that another descriptor has
};

/// poll(2) until a deadline, to the nanosecond: its milliseconds are too coarse for a pace of a thousand a second.
int poll_until(Deadline deadline, pollfd* descriptors, std::size_t count) {
  if (deadline == never) {
    return ::ppoll(descriptors, count, nullptr, nullptr);
  }
  using namespace std::chrono;
  const auto left = std::max(duration_cast<nanoseconds>(deadline - steady_clock::now()), nanoseconds(0));
  const timespec time{static_cast<time_t>(duration_cast<std::chrono::seconds>(left).count()),
                      static_cast<long>((left % std::chrono::seconds(1)).count())};
  return ::ppoll(descriptors, count, &time, nullptr);
}

}  // namespace

Deadline deadline_in(std::chrono::duration<double> from_now) {
  using namespace std::chrono_literals;
  constexpr auto a_century = std::chrono::duration<double>(100 * 365 * 24h);
  return std::chrono::steady_clock::now() +
         std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::min(from_now, a_century));
}

Woken wait_for(int fd, std::int16_t events, Deadline deadline, const std::stop_token& stop) {
  pollfd one{fd, events, 0};
  return wait_for_any({&one, 1}, deadline, stop);
}

Woken wait_for_any(std::span<pollfd> descriptors, Deadline deadline, const std::stop_token& stop) {
  if (stop.stop_requested()) {
    return Woken::stopped;
  }
  const bool any = std::any_of(descriptors.begin(), descriptors.end(), [](const pollfd& one) { return one.fd >= 0; });
  if (any && ::poll(descriptors.data(), descriptors.size(), 0) > 0) {
    return Woken::ready;  // the usual case where much is flowing: one call, and no descriptor made for it
  }
  const StopDescriptor stopped{stop};
  std::vector<pollfd> waiting{descriptors.begin(), descriptors.end()};
  waiting.push_back({stopped.fd(), POLLIN, 0});
  while (true) {
    const int ready = poll_until(deadline, waiting.data(), waiting.size());
    if (ready < 0 && errno != EINTR) {
      throw Error(fmt::format("cannot wait for input or output: {}", std::strerror(errno)));
    }
    if (stop.stop_requested()) {
      return Woken::stopped;
    }
    if (ready > 0) {
      std::copy_n(waiting.begin(), descriptors.size(), descriptors.begin());
      return Woken::ready;
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return Woken::deadline;
    }
  }
}

bool sleep_until(Deadline deadline, const std::stop_token& stop) {
  constexpr int no_descriptor = -1;  // poll(2) ignores a negative one
  return wait_for(no_descriptor, 0, deadline, stop) == Woken::deadline;
}

}  // namespace sistem
