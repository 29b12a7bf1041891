#include "common/dial.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cctype>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

#include "common/connection.hpp"
#include "common/error.hpp"

namespace sistem {
namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

/// What a look-up leaves for whoever still waits for it.
struct Lookup {
  std::mutex mutex;
  std::condition_variable_any changed;
  bool done = false;
  int error = 0;
  Addresses addresses{nullptr, ::freeaddrinfo};
};

/// The system's words for an errno, fit for the middle of a sentence.
std::string reason(int error) {
  std::string text = std::strerror(error);
  text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

Error unreachable(const std::string& where, const std::string& why) {
  return Error{fmt::format("no broker at {}: {}", where, why), ExitStatus::no_broker};
}

/// getaddrinfo(3) cannot be interrupted and may take half a minute where no name server answers, so it runs on a
/// thread of its own, which is left behind where nobody waits any longer.
Addresses resolve(const std::string& host, std::uint16_t port, Deadline deadline, const std::stop_token& stop) {
  auto lookup = std::make_shared<Lookup>();
  std::thread([lookup, host, port] {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
    const std::scoped_lock lock(lookup->mutex);
    lookup->addresses.reset(found);
    lookup->error = error;
    lookup->done = true;
    lookup->changed.notify_all();
  }).detach();
  std::unique_lock lock(lookup->mutex);
  lookup->changed.wait_until(lock, stop, deadline, [&] { return lookup->done; });
  if (!lookup->done) {
    throw unreachable(place(host, port), stop.stop_requested() ? "stopped while its name was looked up"
                                                               : "its name could not be looked up in time");
  }
  if (lookup->error != 0) {
    throw unreachable(place(host, port),
                      fmt::format("cannot find the address of \"{}\" ({})", host, ::gai_strerror(lookup->error)));
  }
  return std::move(lookup->addresses);
}

std::string numeric(const addrinfo& address) {
  std::array<char, NI_MAXHOST> text{};
  ::getnameinfo(address.ai_addr, address.ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
  return text.data();
}

/// Connects a socket to one address; an errno where that failed.
std::optional<int> connect_error(int fd, const addrinfo& address, Deadline deadline, const std::stop_token& stop) {
  if (::connect(fd, address.ai_addr, address.ai_addrlen) == 0) {
    return std::nullopt;
  }
  if (errno != EINPROGRESS) {
    return errno;
  }
  switch (wait_for(fd, POLLOUT, deadline, stop)) {
    case Woken::deadline: return ETIMEDOUT;
    case Woken::stopped: return ECANCELED;
    case Woken::ready: break;
  }
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error == 0 ? std::nullopt : std::optional(error);
}

struct Failure {
  std::string address;
  std::string why;
};

/// One reason where all addresses failed alike, as they do most often; else each with its own.
std::string summary(const std::vector<Failure>& failures) {
  bool alike = true;
  std::string addresses;
  std::string all;
  for (const Failure& failure : failures) {
    alike = alike && failure.why == failures.front().why;
    addresses += (addresses.empty() ? "" : ", ") + failure.address;
    all += (all.empty() ? "" : "; ") + fmt::format("{}: {}", failure.address, failure.why);
  }
  return alike ? fmt::format("{} (tried {})", failures.front().why, addresses) : all;
}

}  // namespace

Dialed dial(const std::string& host, std::uint16_t port, Deadline deadline, const std::stop_token& stop) {
  const Addresses addresses = resolve(host, port, deadline, stop);
  int untried = 0;
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
    ++untried;
  }
  std::vector<Failure> failures;
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next, --untried) {
    Descriptor socket{::socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, address->ai_protocol)};
    // An address that swallows packets may use up only its share of the time.
    const auto now = std::chrono::steady_clock::now();
    const std::optional<int> error =
        socket.get() < 0 ? std::optional(errno)
                         : connect_error(socket.get(), *address, now + (deadline - now) / untried, stop);
    if (!error) {
      const int yes = 1;  // a small packet leaves at once: Nagle against delayed ACK costs 40 ms
      ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
      return {std::move(socket), numeric(*address)};
    }
    if (stop.stop_requested()) {
      throw unreachable(place(host, port), fmt::format("stopped while connecting to {}", numeric(*address)));
    }
    failures.push_back({numeric(*address), reason(*error)});
  }
  throw unreachable(place(host, port), summary(failures));
}

}  // namespace sistem
