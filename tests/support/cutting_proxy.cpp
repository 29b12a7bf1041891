#include "tests/support/cutting_proxy.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <limits>

#include "common/net/dial.hpp"
#include "common/process/descriptor.hpp"
#include "common/process/stop.hpp"
#include "tests/support/loopback.hpp"

namespace sistem::test {

CuttingProxy::CuttingProxy(std::uint16_t broker_port, std::size_t least_bytes, std::size_t most_bytes, int cuts,
                           unsigned seed)
    : broker_port_(broker_port),
      bytes_(least_bytes, most_bytes),
      cuts_(cuts),
      random_(seed),
      listener_(listen_on_loopback()),
      port_(port_of(listener_)),
      thread_([this](const std::stop_token& stop) { serve(stop); }) {}

CuttingProxy::~CuttingProxy() {
  thread_.request_stop();
  thread_.join();
  ::close(listener_);
}

void CuttingProxy::serve(const std::stop_token& stop) {
  while (wait_for(listener_, POLLIN, never, stop) == Woken::ready) {
    const Descriptor client{::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)};
    pass_on(client.get(), cuts_-- > 0 ? bytes_(random_) : std::numeric_limits<std::size_t>::max(), stop);
  }
}

void CuttingProxy::pass_on(int client, std::size_t bytes, const std::stop_token& stop) const {
  const Dialed broker = Dialer{{.host = "127.0.0.1", .port = broker_port_}}.dial(never, stop);
  while (bytes > 0 && !stop.stop_requested()) {
    std::array<pollfd, 2> ready{{{client, POLLIN, 0}, {broker.channel.fd(), POLLIN, 0}}};
    (void)::poll(ready.data(), ready.size(), 50);  // and then look for the stop
    for (const auto& [from, to] : {std::pair{ready[0], ready[1].fd}, std::pair{ready[1], ready[0].fd}}) {
      if (from.revents == 0) {
        continue;
      }
      std::array<char, 4096> block{};
      const ssize_t count = ::read(from.fd, block.data(), std::min(block.size(), bytes));
      if (count <= 0) {
        return;
      }
      for (ssize_t written = 0; written < count;) {
        const ssize_t part = ::write(to, block.data() + written, static_cast<std::size_t>(count - written));
        if (part < 0 && errno == EAGAIN && wait_for(to, POLLOUT, never, stop) == Woken::ready) {
          continue;
        }
        if (part <= 0) {
          return;
        }
        written += part;
      }
      bytes -= static_cast<std::size_t>(count);
    }
  }
}

}  // namespace sistem::test
