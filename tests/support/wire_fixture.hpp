#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/paho/wire.hpp"
#include "common/process/descriptor.hpp"

namespace sistem {

inline const std::string pingresp{"\xD0\0", 2};

/// PUBLISH at QoS 1 with that packet id.
inline std::string message(char id) {
  std::string packet{"\x32\6\0\1t\0?x", 8};
  packet[6] = id;
  return packet;
}

/// The same at QoS 0.
inline const std::string quick_message{"\x30\4\0\1tx", 6};

/// Acknowledgements with packet id 7.
inline const std::string puback{"\x40\2\0\7", 4};
inline const std::string pubrec{"\x50\2\0\7", 4};
inline const std::string pubrel{"\x62\2\0\7", 4};
inline const std::string pubcomp{"\x70\2\0\7", 4};

/// PUBLISH at QoS 2 with packet id 7.
inline const std::string precious{"\x34\6\0\1t\0\7x", 8};

/// PUBLISH with 3 MiB of payload, more than is read of messages that wait.
inline std::string large_message(char first_byte) {
  std::string rest = std::string{"\0\1t\0\7", 5} + std::string(3 << 20, 'x');
  std::string length;
  for (std::size_t left = rest.size(); left > 0; left >>= 7U) {
    length += static_cast<char>((left & 0x7FU) | (left > 0x7F ? 0x80U : 0U));
  }
  return first_byte + length + rest;
}

/// A wire whose broker is the other end of a pair of sockets, and has accepted the connection.
class WireTest : public testing::Test {
 protected:
  explicit WireTest(const Wire::Start& start = {}) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
    peer_ = ends[1];
    wire_ = std::make_shared<Wire>(Channel{Descriptor{ends[0]}},
                                   Wire::Observer{[](Wire::Way, std::uint8_t, std::size_t) { return true; },
                                                  [this](Wire::Way way, std::string_view packet) {
                                                    (way == Wire::Way::in ? seen_in_ : seen_out_).emplace_back(packet);
                                                  },
                                                  [this] { lost_ = true; },
                                                  [this](std::uint64_t messages, bool all) {
                                                    handed_on_ = messages;
                                                    all_handed_on_ = all;
                                                  },
                                                  [this] { ++idle_; }},
                                   start);
    const std::string connack =
        start.version == ProtocolVersion::v5 ? std::string{"\x20\3\0\0\0", 5} : std::string{"\x20\2\0\0", 4};
    broker_sends(connack);
    EXPECT_EQ(received(), connack);
    seen_in_.clear();
    idle_ = 0;
  }
  ~WireTest() override { ::close(peer_); }

  void broker_sends(const std::string& bytes) const {
    ASSERT_EQ(::write(peer_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  /// Sends of what is left behind `written` as much as the socket takes; false where it takes nothing.
  bool broker_sends_what_fits(const std::string& bytes, std::size_t& written) const {
    const ssize_t count = ::write(peer_, bytes.data() + written, bytes.size() - written);
    written += count > 0 ? static_cast<std::size_t>(count) : 0;
    return count > 0;
  }
  /// All that has come there.
  std::string at_the_broker() const {
    std::string all;
    std::array<char, 4096> bytes{};
    for (ssize_t count = 0; (count = ::read(peer_, bytes.data(), bytes.size())) > 0;) {
      all.append(bytes.data(), static_cast<std::size_t>(count));
    }
    return all;
  }
  /// All that the library gets, byte by byte as Paho reads, after poll(2) has said that there is something.
  std::string received() const {
    std::string bytes;
    (void)wire_->advance(true);
    while (const char* const byte = wire_->take(1)) {
      bytes += *byte;
    }
    return bytes;
  }
  /// The library asks: so many PINGRESPs are expected.
  void ping(int times) {
    for (int count = 0; count < times; ++count) {
      send(std::string{"\xC0\0", 2});
    }
    (void)at_the_broker();
    seen_out_.clear();
  }
  /// The library sends a packet.
  void send(const std::string& bytes) const {
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    wire_->send({&part, 1});
  }

  int peer_ = -1;
  std::shared_ptr<Wire> wire_;
  bool lost_ = false;
  std::uint64_t handed_on_ = 0;
  bool all_handed_on_ = false;
  int idle_ = 0;
  std::vector<std::string> seen_in_;
  std::vector<std::string> seen_out_;
};

}  // namespace sistem
