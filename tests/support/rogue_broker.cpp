#include "tests/support/rogue_broker.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <map>
#include <thread>

#include "common/process/stop.hpp"
#include "tests/support/loopback.hpp"
#include "tests/support/process.hpp"

namespace sistem::test {

RogueBroker::RogueBroker(std::vector<Reply> first, std::vector<Reply> then, Clients clients, std::uint16_t port)
    : first_(std::move(first)),
      then_(std::move(then)),
      clients_(clients),
      listener_(listen_on_loopback(port)),
      port_(port_of(listener_)),
      thread_([this](const std::stop_token& stop) { serve(stop); }) {}

RogueBroker::~RogueBroker() {
  thread_.request_stop();
  thread_.join();
  ::close(listener_);
  for (const std::string& fault : conformance_.faults()) {
    if (clients_ == Clients::mqtt_unchecked) {
      break;
    }
    ADD_FAILURE() << "a client of the rogue broker does not keep to MQTT: " << fault;
  }
}

std::vector<Packet> RogueBroker::packets() const {
  const std::scoped_lock lock(mutex_);
  return packets_;
}

std::vector<Packet> RogueBroker::all_packets() const {
  const Deadline deadline = std::chrono::steady_clock::now() + patience;
  while (is_talking_ && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  return packets();
}

void RogueBroker::serve(const std::stop_token& stop) {
  while (wait_for(listener_, POLLIN, never, stop) == Woken::ready) {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    is_talking_ = true;
    ++connections_;
    if (clients_ != Clients::something_else) {
      conformance_.begin();
      talk(client, connections_ == 1 ? first_ : then_, stop);
    } else {
      talk_foreign(client, stop);
    }
    ::close(client);
    is_talking_ = false;
  }
}

void RogueBroker::talk_foreign(int client, const std::stop_token& stop) const {
  while (wait_for(client, POLLIN, never, stop) == Woken::ready) {
    std::array<char, 4096> block{};
    if (::read(client, block.data(), block.size()) <= 0) {
      return;
    }
    for (const Reply& reply : first_) {
      if (reply.to == static_cast<unsigned char>(block[0]) >> 4) {
        (void)::send(client, reply.bytes.data(), reply.bytes.size(), MSG_NOSIGNAL);
        if (reply.then_close) {
          return;
        }
      }
    }
  }
}

void RogueBroker::talk(int client, const std::vector<Reply>& replies, const std::stop_token& stop) {
  ProtocolVersion version = ProtocolVersion::v311;
  std::map<int, int> seen;
  PacketCutter cutter;
  std::string packet;
  bool closing = false;  // nothing is answered any more; but what the client had sent by then is heard
  while (wait_for(client, POLLIN, never, stop) == Woken::ready) {
    std::array<char, 4096> block{};
    const ssize_t count = ::read(client, block.data(), block.size());
    if (count <= 0) {
      return;
    }
    std::string_view received{block.data(), static_cast<std::size_t>(count)};
    while (const auto piece = cutter.next(received)) {
      packet += piece->bytes;
      if (!piece->ends) {
        continue;
      }
      conformance_.client_sent(packet);
      Packet one;
      try {
        one = read_packet(packet, version);
      } catch (const Malformed&) {
        return;  // and the destructor says so
      }
      packet.clear();
      if (one.type == PacketType::connect) {
        version = static_cast<ProtocolVersion>(one.protocol_level);
      }
      {
        const std::scoped_lock lock(mutex_);
        packets_.push_back(one);
      }
      const int type = static_cast<int>(one.type);
      const int before = seen[type]++;
      for (const Reply& reply : replies) {
        if (closing || reply.to != type || before < reply.after || (reply.only && !reply.only(one))) {
          continue;
        }
        const std::string bytes = reply.bytes + (reply.answer ? reply.answer(one) : "");
        // Before it goes out: the client's answer to it may be here at once.
        conformance_.broker_sent(bytes);
        (void)::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (reply.then_close) {
          closing = true;
          ::shutdown(client, SHUT_WR);
        }
      }
    }
  }
}

std::string acknowledgement(int type, std::uint16_t packet_id) {
  return {static_cast<char>(type << 4), 2, static_cast<char>(packet_id >> 8U), static_cast<char>(packet_id & 0xFFU)};
}

std::vector<RogueBroker::Reply> honest_acknowledgements() {
  const auto to_publish = [](const Packet& publish) {
    return publish.qos == 0 ? std::string{} : acknowledgement(publish.qos == 1 ? 4 : 5, *publish.id);
  };
  return {{.to = RogueBroker::publish_packet, .bytes = "", .answer = to_publish},
          {.to = RogueBroker::pubrel_packet, .bytes = "", .answer = [](const Packet& pubrel) {
             return acknowledgement(7, *pubrel.id);
           }}};
}

}  // namespace sistem::test
