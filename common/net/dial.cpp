#include "common/net/dial.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <future>
#include <random>
#include <utility>
#include <variant>
#include <vector>

#include "common/net/peer.hpp"
#include "common/net/proxy.hpp"
#include "common/net/srv.hpp"
#include "common/net/websocket.hpp"
#include "common/process/child.hpp"
#include "common/process/error.hpp"
#include "common/process/thread.hpp"
#include "common/text/random.hpp"

namespace sistem {
namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

/// A look-up cannot be interrupted and may take half a minute where no name server answers, so it runs on a thread of
/// its own, which is left behind where nobody waits any longer.
template <typename Answer>
Answer looked_up(const std::string& name, std::function<Answer()> look_up, Deadline deadline,
                 const std::stop_token& stop) {
  using Found =
      std::variant<Answer, std::string>;  // or why there is none: not as an exception, which both threads would have
  std::packaged_task<Found()> task{[look_up = std::move(look_up)]() -> Found {
    try {
      return look_up();
    } catch (const Unreachable& why) {
      return std::string(why.what());
    }
  }};
  std::future<Found> answer = task.get_future();
  Pipe end = make_pipe();  // which the thread closes
  start_thread([task = std::move(task), writer = std::move(end.writer)]() mutable { task(); }).detach();
  switch (wait_for(end.reader.get(), POLLIN, deadline, stop)) {
    case Woken::stopped: throw Unreachable(fmt::format("stopped while {} was looked up", name));
    case Woken::deadline: throw Unreachable(fmt::format("{} could not be looked up in time", name));
    case Woken::ready: break;
  }
  Found found = answer.get();
  if (const auto* const why = std::get_if<std::string>(&found)) {
    throw Unreachable(*why);
  }
  return std::get<Answer>(std::move(found));
}

/// As getaddrinfo(3); an error is one of its numbers.
Addresses addresses_of(const std::string& host, std::uint16_t port, int flags, int& error) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | flags;
  addrinfo* found = nullptr;
  error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  return {error == 0 ? found : nullptr, ::freeaddrinfo};
}

Addresses resolve(const std::string& host, std::uint16_t port, Deadline deadline, const std::stop_token& stop) {
  int is_name = 0;
  if (Addresses numeric = addresses_of(host, port, AI_NUMERICHOST, is_name); is_name == 0) {
    return numeric;  // nobody must be asked
  }
  const auto look_up = [host, port] {
    int error = 0;
    Addresses found = addresses_of(host, port, 0, error);
    if (error != 0) {
      throw Unreachable(fmt::format("cannot find the address of \"{}\" ({})", host, ::gai_strerror(error)));
    }
    return found;
  };
  return looked_up<Addresses>("the name \"" + host + "\"", look_up, deadline, stop);
}

std::string numeric(const addrinfo& address) {
  std::array<char, NI_MAXHOST> text{};
  ::getnameinfo(address.ai_addr, address.ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
  return text.data();
}

Descriptor new_socket(int family) {
  return Descriptor{::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
}

/// Connects a socket to one address; an errno where that failed.
std::optional<int> connect_error(int fd, const sockaddr* address, socklen_t size, Deadline deadline,
                                 const std::stop_token& stop) {
  if (::connect(fd, address, size) == 0) {
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
  socklen_t error_size = sizeof error;
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size);
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

/// The time that one of `untried` ways may take: one that swallows packets may use up only its share.
Deadline share(Deadline deadline, std::size_t untried) {
  const auto now = std::chrono::steady_clock::now();
  return now + (deadline - now) / static_cast<std::ptrdiff_t>(untried);
}

struct Tcp {
  Descriptor socket;
  std::string address;  ///< numeric
};

/// Binds a socket to one of the local addresses of a name. Why it cannot be, if so.
std::optional<std::string> bind_error(int fd, int family, const std::string& name, const Addresses& locals) {
  std::string why = fmt::format("it has no {} address", family == AF_INET6 ? "IPv6" : "IPv4");
  for (const addrinfo* local = locals.get(); local != nullptr; local = local->ai_next) {
    if (local->ai_family == family) {
      if (::bind(fd, local->ai_addr, local->ai_addrlen) == 0) {
        return std::nullopt;
      }
      why = errno_words(errno);
    }
  }
  return fmt::format("cannot connect from \"{}\": {}", name, why);
}

/// Tries every address of the host.
Tcp connect_tcp(const std::string& host, std::uint16_t port, const ConnectionConfig& config, Deadline deadline,
                const std::stop_token& stop) {
  const Addresses addresses = resolve(host, port, deadline, stop);
  const std::string& from = config.bind_address;
  const Addresses locals = from.empty() ? Addresses{nullptr, ::freeaddrinfo} : resolve(from, 0, deadline, stop);
  const auto failure = [&](int fd, const addrinfo& address, Deadline its_deadline) -> std::optional<std::string> {
    if (fd < 0) {
      return errno_words(errno);
    }
    if (auto why = locals ? bind_error(fd, address.ai_family, from, locals) : std::nullopt) {
      return why;
    }
    const auto error = connect_error(fd, address.ai_addr, address.ai_addrlen, its_deadline, stop);
    return error ? std::optional(errno_words(*error)) : std::nullopt;
  };
  std::size_t untried = 0;
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
    ++untried;
  }
  std::vector<Failure> failures;
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next, --untried) {
    Tcp tcp{new_socket(address->ai_family), numeric(*address)};
    const auto why = failure(tcp.socket.get(), *address, share(deadline, untried));
    if (!why) {
      const int no_delay = config.no_delay ? 1 : 0;  // Nagle against a delayed ACK costs 40 ms
      ::setsockopt(tcp.socket.get(), IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof no_delay);
      return tcp;
    }
    if (stop.stop_requested()) {
      throw Unreachable(fmt::format("stopped while connecting to {}", tcp.address));
    }
    failures.push_back({tcp.address, *why});
  }
  throw Unreachable(summary(failures));
}

Tcp connect_to_proxy(const std::string& where, const ConnectionConfig& config, Deadline deadline,
                     const std::stop_token& stop) {
  try {
    return connect_tcp(config.proxy.host, config.proxy.port, config, deadline, stop);
  } catch (const Unreachable& why) {
    throw Unreachable(fmt::format("the proxy at {}: {}", where, why.what()));
  }
}

Dialed reach_unix(const std::string& path, Deadline deadline, const std::stop_token& stop) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    throw Unreachable(fmt::format("the path of a unix socket has at most {} bytes", sizeof address.sun_path - 1));
  }
  path.copy(static_cast<char*>(address.sun_path), path.size());
  Descriptor socket = new_socket(AF_UNIX);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (const auto error = connect_error(socket.get(), generic, sizeof address, deadline, stop)) {
    throw Unreachable(errno_words(*error));
  }
  return {Channel{std::move(socket)}, path};
}

}  // namespace

Dialer::Dialer(ConnectionConfig config)
    : config_(std::move(config)),
      tls_(config_.tls.enabled ? std::make_unique<const TlsClient>(config_.tls) : nullptr) {}

Dialed Dialer::dial(Deadline deadline, const std::stop_token& stop) const {
  try {
    Dialed dialed = reach(deadline, stop);
    if (tls_) {
      // Also where SRV led elsewhere: only the user's own word says whom to trust [RFC 6125 6.2.1].
      const std::string& name = config_.tls.server_name.empty() ? config_.host : config_.tls.server_name;
      Encrypted tls = tls_->handshake(dialed.channel.fd(), name, deadline, stop);
      dialed.way += ", " + tls.description;
      dialed.channel.encrypt(std::move(tls));
    }
    if (config_.websocket) {
      open_websocket(dialed.channel, place(config_.host, config_.port), config_.websocket_path, deadline, stop);
      dialed.way += ", WebSocket at " + config_.websocket_path;
      dialed.channel.frame();
    }
    return dialed;
  } catch (const Unreachable& why) {
    throw Error{fmt::format("no broker at {}: {}", place(config_), why.what()), ExitStatus::no_broker};
  }
}

Dialed Dialer::reach(Deadline deadline, const std::stop_token& stop) const {
  if (!config_.unix_path.empty()) {
    return reach_unix(config_.unix_path, deadline, stop);
  }
  return config_.srv ? reach_by_srv(deadline, stop) : reach_host(config_.host, config_.port, deadline, stop);
}

Dialed Dialer::reach_by_srv(Deadline deadline, const std::stop_token& stop) const {
  const std::string name = srv_name(config_.host, config_.tls.enabled);
  std::minstd_rand random{random_seed()};
  const auto look_up = [name] { return look_up_srv(name); };
  const auto targets =
      in_order_of_trial(looked_up<std::vector<SrvTarget>>("the SRV record " + name, look_up, deadline, stop), random);
  std::vector<Failure> failures;
  for (const SrvTarget& target : targets) {
    try {
      return reach_host(target.host, target.port, share(deadline, targets.size() - failures.size()), stop);
    } catch (const Unreachable& why) {
      if (stop.stop_requested()) {
        throw;
      }
      failures.push_back({place(target.host, target.port), why.what()});
    }
  }
  throw Unreachable(summary(failures));
}

Dialed Dialer::reach_host(const std::string& host, std::uint16_t port, Deadline deadline,
                          const std::stop_token& stop) const {
  const Proxy& proxy = config_.proxy;
  if (proxy.host.empty()) {
    Tcp tcp = connect_tcp(host, port, config_, deadline, stop);
    const std::string way = place(tcp.address, port);
    return {Channel{std::move(tcp.socket)}, way};
  }
  const std::string where = place(proxy.host, proxy.port);
  Tcp tcp = connect_to_proxy(where, config_, deadline, stop);
  Channel channel{std::move(tcp.socket)};
  connect_through(channel, proxy, host, port, deadline, stop);
  return {std::move(channel), fmt::format("by the proxy at {}", where)};
}

}  // namespace sistem
