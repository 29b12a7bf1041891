#include "common/paho_shims.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <ctime>
#include <mutex>
#include <optional>

namespace sistem::paho_shims {
namespace {

struct Waiting {
  std::mutex mutex;
  std::optional<Descriptor> socket;
};

/// The one socket that is on its way from us to Paho. Never destroyed: Paho's threads may outlive main().
Waiting& waiting() {
  static auto* const one = new Waiting;
  return *one;
}

/// Whether `socket` is connected to where `address` points.
bool leads_to(int socket, const sockaddr* address) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) != 0 || peer.ss_family != address->sa_family) {
    return false;
  }
  if (peer.ss_family == AF_INET) {
    const auto* one = reinterpret_cast<const sockaddr_in*>(&peer);
    const auto* other = reinterpret_cast<const sockaddr_in*>(address);
    return one->sin_port == other->sin_port && one->sin_addr.s_addr == other->sin_addr.s_addr;
  }
  const auto* one = reinterpret_cast<const sockaddr_in6*>(&peer);
  const auto* other = reinterpret_cast<const sockaddr_in6*>(address);
  return peer.ss_family == AF_INET6 && one->sin6_port == other->sin6_port &&
         std::memcmp(&one->sin6_addr, &other->sin6_addr, sizeof one->sin6_addr) == 0;
}

/// Puts the waiting socket in the place of Paho's own `fd`, which keeps its number. False where none waits for there.
bool replace(int fd, const sockaddr* address) {
  Waiting& one = waiting();
  const std::scoped_lock lock(one.mutex);
  if (!one.socket || !leads_to(one.socket->get(), address)) {
    return false;
  }
  const bool replaced = ::dup3(one.socket->get(), fd, O_CLOEXEC) == fd;
  one.socket.reset();
  return replaced;
}

/// How many Hurry objects there are, and whether messages wait.
std::atomic<int> hurries{0};
std::atomic<bool> messages_wait{false};

bool in_a_hurry() { return hurries > 0 || messages_wait; }

}  // namespace

Handover::Handover(Descriptor socket) {
  Waiting& one = waiting();
  const std::scoped_lock lock(one.mutex);
  one.socket.emplace(std::move(socket));
}

Handover::~Handover() {
  Waiting& one = waiting();
  const std::scoped_lock lock(one.mutex);
  one.socket.reset();
}

Hurry::Hurry() { ++hurries; }

Hurry::~Hurry() { --hurries; }

void hurry_for_messages(bool waiting) { messages_wait = waiting; }

}  // namespace sistem::paho_shims

// libc declares these with its own spelling of the parameters, which are ours to name.
// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name)

/// connect(2). Paho opens a socket and connects it; it gets the one that dial() has connected already, if that leads
/// to the same place. Every other caller gets the system call.
extern "C" int connect(int fd, const sockaddr* address, socklen_t size) {
  if (sistem::paho_shims::replace(fd, address)) {
    return 0;
  }
  return static_cast<int>(::syscall(SYS_connect, fd, address, size));
}

/// usleep(3). Paho's receive thread, started before there is a socket, finds nothing to wait for and sleeps 100 ms:
/// one start in five is that late (Paho C 1.3.12 and 1.3.14). In a hurry 1 ms is enough. To be dropped when that thread
/// waits for the first connection instead.
extern "C" int usleep(useconds_t microseconds) {
  constexpr useconds_t pahos_sleep = 100000;
  const bool shorten = microseconds == pahos_sleep && sistem::paho_shims::in_a_hurry();
  const useconds_t sleep = shorten ? 1000 : microseconds;
  const timespec time{static_cast<time_t>(sleep / 1000000), static_cast<long>(sleep % 1000000) * 1000};
  return ::nanosleep(&time, nullptr);
}

#if !defined(__SANITIZE_THREAD__)  // which must see every wait itself
/// pthread_cond_timedwait(3). Paho's send thread looks for work, and if there is none waits a second to be woken; what
/// comes in between the two wakes nobody: one one-shot pub in a thousand took a second (Paho C 1.3.12). In a hurry it
/// waits no longer than 5 ms. A condition's waiter must expect to be woken early, so any other caller is safe too.
extern "C" int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex, const timespec* deadline) {
  constexpr long at_most = 5'000'000;
  timespec until = *deadline;
  if (sistem::paho_shims::in_a_hurry()) {
    timespec soon{};
    ::clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += at_most;
    soon.tv_sec += soon.tv_nsec / 1'000'000'000;
    soon.tv_nsec %= 1'000'000'000;
    if (soon.tv_sec < until.tv_sec || (soon.tv_sec == until.tv_sec && soon.tv_nsec < until.tv_nsec)) {
      until = soon;
    }
  }
  // Its twin with a clock is not replaced, and the same otherwise.
  return ::pthread_cond_clockwait(condition, mutex, CLOCK_REALTIME, &until);
}
#endif
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
