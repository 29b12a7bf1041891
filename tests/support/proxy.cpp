#include "tests/support/proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "common/process/descriptor.hpp"
#include "common/process/stop.hpp"
#include "tests/support/loopback.hpp"

namespace sistem::test {
namespace {

using namespace std::string_literals;

/// Empty where the client has gone.
std::string receive(int client, std::size_t size) {
  std::string bytes(size, '\0');
  return ::recv(client, bytes.data(), size, MSG_WAITALL) == static_cast<ssize_t>(size) ? bytes : "";
}

/// Bytes after their length.
std::string receive_counted(int client) {
  const std::string size = receive(client, 1);
  return size.empty() ? "" : receive(client, static_cast<unsigned char>(size[0]));
}

void send(int client, const std::string& bytes) { ::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL); }

void relay(int one, int other, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::array<pollfd, 2> ready{{{one, POLLIN, 0}, {other, POLLIN, 0}}};
    (void)::poll(ready.data(), ready.size(), 50);  // and then look for the stop
    for (const auto& [from, to] : {std::pair{ready[0], other}, std::pair{ready[1], one}}) {
      if (from.revents == 0) {
        continue;
      }
      std::array<char, 4096> block{};
      const ssize_t count = ::read(from.fd, block.data(), block.size());
      if (count <= 0) {
        return;
      }
      send(to, {block.data(), static_cast<std::size_t>(count)});
    }
  }
}

}  // namespace

TestProxy::TestProxy(Manner manner)
    : manner_(std::move(manner)),
      listener_(listen_on_loopback()),
      port_(port_of(listener_)),
      thread_([this](const std::stop_token& stop) { serve(stop); }) {}

TestProxy::~TestProxy() {
  thread_.request_stop();
  thread_.join();
  ::close(listener_);
}

std::string TestProxy::asked_for() const {
  const std::scoped_lock lock(mutex_);
  return asked_for_;
}

void TestProxy::serve(const std::stop_token& stop) {
  while (wait_for(listener_, POLLIN, never, stop) == Woken::ready) {
    const Descriptor client{::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)};
    if (const std::uint16_t port = receive_request(client.get()); port != 0) {
      const Descriptor broker{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(port);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      if (::connect(broker.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
        relay(client.get(), broker.get(), stop);
      }
    }
  }
}

std::uint16_t TestProxy::receive_http(int client) {
  std::string request;
  while (!request.ends_with("\r\n\r\n")) {
    const std::string byte = receive(client, 1);
    if (byte.empty()) {
      return 0;
    }
    request += byte;
  }
  {
    const std::scoped_lock lock(mutex_);
    asked_for_ = request;
  }
  // In pieces, and long, as some proxies are.
  send(client, "HTTP/1.1 "s +
                   (manner_.reply == 0 ? "200 Connection established" : std::to_string(manner_.reply) + " No") +
                   "\r\nVia: ");
  send(client, std::string(3000, 'x') + "\r\n\r\n");
  const std::string target = request.substr(0, request.find(" HTTP/"));
  return manner_.reply != 0 ? std::uint16_t{0}
                            : static_cast<std::uint16_t>(std::stoi(target.substr(target.rfind(':') + 1)));
}

std::uint16_t TestProxy::receive_request(int client) {
  if (manner_.http) {
    return receive_http(client);
  }
  (void)receive(client, 1);
  const std::string methods = receive_counted(client);
  if (!manner_.greeting.empty()) {
    send(client, manner_.greeting);
    return 0;
  }
  const char method = manner_.username.empty() ? '\0' : '\2';
  if (methods.find(method) == std::string::npos) {
    send(client, "\5\xFF"s);
    return 0;
  }
  send(client, "\5"s + method);
  if (method != '\0') {
    (void)receive(client, 1);
    const bool right = receive_counted(client) == manner_.username && receive_counted(client) == manner_.password;
    send(client, right ? "\1\0"s : "\1\1"s);
    if (!right) {
      return 0;
    }
  }
  const std::string request = receive(client, 4);
  std::array<char, INET6_ADDRSTRLEN> text{};
  std::string asked_for = "nothing";
  if (request == "\5\1\0\1"s) {
    ::inet_ntop(AF_INET, receive(client, 4).data(), text.data(), text.size());
    asked_for = "IPv4 "s + text.data();
  } else if (request == "\5\1\0\4"s) {
    ::inet_ntop(AF_INET6, receive(client, 16).data(), text.data(), text.size());
    asked_for = "IPv6 "s + text.data();
  } else if (request == "\5\1\0\3"s) {
    asked_for = "name " + receive_counted(client);
  }
  const std::string port = receive(client, 2);
  {
    const std::scoped_lock lock(mutex_);
    asked_for_ = asked_for;
  }
  // The answer's address is a name for once, to be skipped by its length.
  send(client, "\5"s + static_cast<char>(manner_.reply) + "\0\3\5proxy\0\0"s);
  return manner_.reply != 0 || port.empty() ? std::uint16_t{0}
                                            : static_cast<std::uint16_t>(static_cast<unsigned char>(port[0]) << 8U |
                                                                         static_cast<unsigned char>(port[1]));
}

}  // namespace sistem::test
