#include "tests/support/loopback.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <stdexcept>

#include "common/process/descriptor.hpp"

namespace sistem::test {

int listen_on_loopback(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);  // connections of the one before may linger
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(socket, 8) != 0) {
    throw std::runtime_error("cannot listen on the loopback");
  }
  return socket;
}

std::uint16_t port_of(int socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("a socket without a port");
  }
  return ntohs(address.sin_port);
}

std::uint16_t free_port() {
  const Descriptor probe{listen_on_loopback()};
  return port_of(probe.get());
}

}  // namespace sistem::test
