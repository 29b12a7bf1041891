#include "tests/bench/mqtt_wire.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <system_error>

namespace sistem::bench {
namespace {

constexpr std::size_t piece = std::size_t{256} * 1024;

unsigned char byte(std::string_view bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

/// A number of up to four bytes of seven bits (MQTT 1.5.5) and how many bytes it took.
struct Length {
  std::size_t value;
  std::size_t bytes;
};
std::optional<Length> length(std::string_view bytes) {
  Length read{0, 0};
  while (read.bytes < bytes.size() && read.bytes < 4) {
    const unsigned char next = byte(bytes, read.bytes);
    read.value |= static_cast<std::size_t>(next & 0x7F) << (7 * read.bytes);
    ++read.bytes;
    if ((next & 0x80) == 0) {
      return read;
    }
  }
  return std::nullopt;
}

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

std::optional<Packet> take_packet(std::string_view& bytes) {
  if (bytes.size() < 2) {
    return std::nullopt;
  }
  const auto rest = length(bytes.substr(1));
  if (!rest || bytes.size() < 1 + rest->bytes + rest->value) {
    return std::nullopt;
  }
  const Packet packet{byte(bytes, 0), bytes.substr(1 + rest->bytes, rest->value)};
  bytes.remove_prefix(1 + rest->bytes + rest->value);
  return packet;
}

Publication publication(const Packet& packet, bool version_5) {
  std::size_t at = 2 + (std::size_t{byte(packet.body, 0)} << 8 | byte(packet.body, 1));
  Publication read{};
  if (packet.qos() > 0) {
    read.id = packet.body.substr(at, 2);
    at += 2;
  }
  if (version_5) {
    const auto properties = length(packet.body.substr(at));
    at += properties ? properties->bytes + properties->value : 0;
  }
  read.payload = packet.body.size() - at;
  return read;
}

void append(std::string& out, Type type, std::string_view body, unsigned char flags) {
  out.push_back(static_cast<char>(static_cast<unsigned>(type) << 4 | flags));
  out.push_back(static_cast<char>(body.size()));  // all that are sent by this are shorter than 128 bytes
  out.append(body);
}

Connection::Connection(int socket) : socket_(socket), buffer_(piece) {
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Connection::~Connection() { close(socket_); }

void Connection::patience_is(double seconds) const {
  const timeval limit{static_cast<time_t>(seconds), static_cast<suseconds_t>(std::fmod(seconds, 1.0) * 1e6)};
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

bool Connection::fill(Wait wait) {
  if (filled_ == buffer_.size()) {
    buffer_.resize(buffer_.size() * 2);  // a packet that is larger than all that there was room for
  }
  const ssize_t got =
      recv(socket_, buffer_.data() + filled_, buffer_.size() - filled_, wait == Wait::yes ? 0 : MSG_DONTWAIT);
  if (got > 0) {
    filled_ += static_cast<std::size_t>(got);
  }
  return got > 0 || (got < 0 && wait == Wait::no && errno == EAGAIN);
}

void Connection::keep(std::string_view rest) {
  std::memmove(buffer_.data(), rest.data(), rest.size());
  filled_ = rest.size();
}

bool Connection::flush() {
  std::string_view bytes = out;
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  out.clear();
  return true;
}

Listener listen_on(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  sockaddr_in address = loopback(port);
  socklen_t size = sizeof address;
  if (socket < 0 || setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      bind(socket, reinterpret_cast<const sockaddr*>(&address), size) != 0 || listen(socket, 16) != 0 ||
      getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    fail("cannot listen on loopback");
  }
  return {socket, ntohs(address.sin_port)};
}

int accept_from(const Listener& listener) {
  const int socket = accept4(listener.socket, nullptr, nullptr, SOCK_CLOEXEC);
  if (socket < 0) {
    fail("cannot accept a connection");
  }
  return socket;
}

int connect_to(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  if (socket < 0 || connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fail("cannot connect");
  }
  return socket;
}

}  // namespace sistem::bench
