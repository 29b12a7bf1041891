#include "tests/support/faulty_proxy.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <utility>

#include "common/net/dial.hpp"
#include "common/process/descriptor.hpp"
#include "common/process/stop.hpp"
#include "tests/support/loopback.hpp"

namespace sistem::test {
namespace {

constexpr unsigned publish = 3;

/// The size of the control packet that `bytes` begins with; nothing while it is not all there [MQTT-1.5.5].
std::optional<std::size_t> packet_size(const std::string& bytes) {
  std::size_t length = 0;
  for (std::size_t at = 1; at < bytes.size() && at <= 4; ++at) {
    const auto byte = static_cast<unsigned char>(bytes[at]);
    length |= static_cast<std::size_t>(byte & 0x7FU) << (7 * (at - 1));
    if ((byte & 0x80U) == 0) {
      const std::size_t size = at + 1 + length;
      return size <= bytes.size() ? std::optional(size) : std::nullopt;
    }
  }
  return std::nullopt;
}

bool write_all(int to, const std::string& bytes, const std::stop_token& stop) {
  for (std::size_t written = 0; written < bytes.size();) {
    const ssize_t part = ::write(to, bytes.data() + written, bytes.size() - written);
    if (part < 0 && errno == EAGAIN && wait_for(to, POLLOUT, never, stop) == Woken::ready) {
      continue;
    }
    if (part <= 0) {
      return false;
    }
    written += static_cast<std::size_t>(part);
  }
  return true;
}

}  // namespace

FaultyProxy::FaultyProxy(std::uint16_t broker_port, std::function<Fault(std::size_t)> fault_of)
    : broker_port_(broker_port),
      fault_of_(std::move(fault_of)),
      listener_(listen_on_loopback()),
      port_(port_of(listener_)),
      thread_([this](const std::stop_token& stop) { serve(stop); }) {}

FaultyProxy::~FaultyProxy() {
  thread_.request_stop();
  thread_.join();
  ::close(listener_);
}

void FaultyProxy::serve(const std::stop_token& stop) {
  if (wait_for(listener_, POLLIN, never, stop) != Woken::ready) {
    return;
  }
  const Descriptor client{::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)};
  const Dialed broker = Dialer{{.host = "127.0.0.1", .port = broker_port_}}.dial(never, stop);
  std::string from_broker;
  while (!stop.stop_requested()) {
    std::array<pollfd, 2> ready{{{client.get(), POLLIN, 0}, {broker.channel.fd(), POLLIN, 0}}};
    (void)::poll(ready.data(), ready.size(), 50);  // and then look for the stop
    for (const bool is_broker : {false, true}) {
      if (ready.at(is_broker ? 1 : 0).revents == 0) {
        continue;
      }
      std::string block(4096, '\0');
      const ssize_t count = ::read(ready.at(is_broker ? 1 : 0).fd, block.data(), block.size());
      if (count <= 0) {
        return;
      }
      block.resize(static_cast<std::size_t>(count));
      if (is_broker) {
        from_broker += block;
        block = packets_of(from_broker);
      }
      if (!write_all(is_broker ? client.get() : broker.channel.fd(), block, stop)) {
        return;
      }
    }
  }
}

std::string FaultyProxy::packets_of(std::string& bytes) {
  std::string sent;
  while (const auto size = packet_size(bytes)) {
    std::string packet = bytes.substr(0, *size);
    bytes.erase(0, *size);
    if (static_cast<unsigned char>(packet.front()) >> 4U != publish) {
      sent += packet;
      continue;
    }
    const Fault fault = fault_of_(++number_);
    switch (fault) {
      case Fault::dropped: continue;
      case Fault::doubled: packet += packet; break;
      case Fault::damaged: packet.back() = static_cast<char>(packet.back() ^ 1); break;
      case Fault::overtaken: overtaken_ += packet; continue;
      case Fault::delayed: std::this_thread::sleep_for(std::chrono::milliseconds(200)); break;
      case Fault::none: break;
    }
    sent += packet + std::exchange(overtaken_, "");
  }
  return sent;
}

}  // namespace sistem::test
