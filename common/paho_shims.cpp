#include "common/paho_shims.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

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

}  // namespace

void hand_over(Descriptor socket) {
  Waiting& one = waiting();
  const std::scoped_lock lock(one.mutex);
  one.socket.emplace(std::move(socket));
}

void take_back() {
  Waiting& one = waiting();
  const std::scoped_lock lock(one.mutex);
  one.socket.reset();
}

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
/// one start in five is that late (Paho C 1.3.12 and 1.3.14). 1 ms is soon enough, and no busy loop. To be dropped
/// when that thread waits for the first connection instead.
extern "C" int usleep(useconds_t microseconds) {
  constexpr useconds_t pahos_sleep = 100000;
  const useconds_t sleep = microseconds == pahos_sleep ? 1000 : microseconds;
  const timespec time{static_cast<time_t>(sleep / 1000000), static_cast<long>(sleep % 1000000) * 1000};
  return ::nanosleep(&time, nullptr);
}
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
