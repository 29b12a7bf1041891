#include "tests/support/rogue_broker.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "common/stop.hpp"
#include "tests/support/loopback.hpp"

namespace sistem::test {
namespace {

/// Takes one whole packet off the front of `bytes` and gives its type; nothing while it is incomplete [MQTT-2.2].
std::optional<int> take_packet(std::string& bytes) {
  std::size_t length = 0;
  for (std::size_t at = 1; at < bytes.size() && at <= 4; ++at) {
    const auto byte = static_cast<unsigned char>(bytes[at]);
    length |= static_cast<std::size_t>(byte & 0x7FU) << (7 * (at - 1));
    if ((byte & 0x80U) == 0) {
      if (bytes.size() < at + 1 + length) {
        return std::nullopt;
      }
      const int type = static_cast<unsigned char>(bytes[0]) >> 4;
      bytes.erase(0, at + 1 + length);
      return type;
    }
  }
  return std::nullopt;
}

}  // namespace

RogueBroker::RogueBroker(std::vector<Reply> replies)
    : replies_(std::move(replies)),
      listener_(listen_on_loopback()),
      port_(port_of(listener_)),
      thread_([this](const std::stop_token& stop) { serve(stop); }) {}

RogueBroker::~RogueBroker() {
  thread_.request_stop();
  thread_.join();
  ::close(listener_);
}

void RogueBroker::serve(const std::stop_token& stop) {
  while (wait_for(listener_, POLLIN, never, stop) == Woken::ready) {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    ++connections_;
    talk(client, stop);
    ::close(client);
  }
}

void RogueBroker::talk(int client, const std::stop_token& stop) const {
  std::string received;
  while (wait_for(client, POLLIN, never, stop) == Woken::ready) {
    std::array<char, 4096> block{};
    const ssize_t count = ::read(client, block.data(), block.size());
    if (count <= 0) {
      return;
    }
    received.append(block.data(), static_cast<std::size_t>(count));
    while (const auto type = take_packet(received)) {
      for (const Reply& reply : replies_) {
        if (reply.to == *type) {
          (void)!::write(client, reply.bytes.data(), reply.bytes.size());
          if (reply.then_close) {
            return;
          }
        }
      }
    }
  }
}

}  // namespace sistem::test
