#include "tests/support/peer.hpp"

#include <openssl/sha.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "common/process/stop.hpp"
#include "common/text/encoding.hpp"
#include "tests/support/loopback.hpp"

namespace sistem::test {

Peer::Peer(Serve serve)
    : listener_(listen_on_loopback()),
      port_(port_of(listener_)),
      thread_([this, serve = std::move(serve)](const std::stop_token& stop) {
        while (wait_for(listener_, POLLIN, never, stop) == Woken::ready) {
          const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
          ++connections_;
          serve(client, stop);
          ::close(client);
        }
      }) {}

Peer::~Peer() {
  thread_.request_stop();
  thread_.join();
  ::close(listener_);
}

std::string heard_from(int client, const std::stop_token& stop) {
  std::array<char, 4096> block{};
  const ssize_t count =
      wait_for(client, POLLIN, never, stop) == Woken::ready ? ::read(client, block.data(), block.size()) : 0;
  return {block.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
}

void say(int client, const std::string& bytes) { (void)!::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL); }

void hear_out(int client, const std::stop_token& stop) {
  while (!heard_from(client, stop).empty()) {
  }
}

void reset(int client) {
  const linger at_once{1, 0};
  ::setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void accept_websocket(int client, const std::stop_token& stop) {
  std::string request;
  while (!request.ends_with("\r\n\r\n")) {
    const std::string more = heard_from(client, stop);
    if (more.empty()) {
      return;
    }
    request += more;
  }
  const std::string name = "Sec-WebSocket-Key: ";
  const std::size_t begin = request.find(name) + name.size();
  const std::string key = request.substr(begin, request.find('\r', begin) - begin);
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  ::SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  say(client,
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
          base64({reinterpret_cast<const char*>(digest.data()), digest.size()}) +
          "\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n");
}

std::string server_frame(int opcode, const std::string& payload) {
  constexpr int last_of_message = 0x80;
  return std::string{static_cast<char>(last_of_message | opcode), static_cast<char>(payload.size())} + payload;
}

}  // namespace sistem::test
