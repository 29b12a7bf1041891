#include "common/net/socks.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <string_view>

#include "common/net/unreachable.hpp"
#include "common/process/error.hpp"

namespace sistem {
namespace {

using namespace std::string_literals;

constexpr char version = 5;
constexpr char no_authentication = 0;
constexpr char by_password = 2;
constexpr char none_acceptable = '\xFF';
constexpr char ipv4 = 1;
constexpr char domain_name = 3;
constexpr char ipv6 = 4;

/// What a REP says that is not 0 [RFC 1928 6].
std::string reply_text(unsigned char reply) {
  switch (reply) {
    case 2: return "its rules do not allow it";
    case 3: return "network is unreachable";
    case 4: return "host is unreachable";
    case 5: return "connection refused";
    case 6: return "TTL expired";
    case 7: return "it does not know CONNECT";
    case 8: return "it does not know such addresses";
    default: return "general failure";
  }
}

/// Bytes with their length before them, which has one byte.
std::string counted(const std::string& text, const std::string& what) {
  if (text.size() > 255) {
    throw Unreachable(fmt::format("the {} is longer than the 255 bytes that SOCKS5 has for it", what));
  }
  return static_cast<char>(text.size()) + text;
}

/// ATYP and DST.ADDR: a literal address as one, any other name for the proxy to resolve.
std::string address_of(const std::string& host) {
  in6_addr six{};
  if (::inet_pton(AF_INET6, host.c_str(), &six) == 1) {
    return ipv6 + std::string(reinterpret_cast<const char*>(&six), sizeof six);
  }
  in_addr four{};
  if (::inet_pton(AF_INET, host.c_str(), &four) == 1) {
    return ipv4 + std::string(reinterpret_cast<const char*>(&four), sizeof four);
  }
  return domain_name + counted(host, "broker's name");
}

/// One conversation with a proxy.
class Conversation {
 public:
  Conversation(int fd, std::string proxy, Deadline deadline, const std::stop_token& stop)
      : fd_(fd), proxy_(std::move(proxy)), deadline_(deadline), stop_(stop) {}

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      } else {
        await_or_throw(POLLOUT);
      }
    }
  }

  /// Exactly so many bytes: what follows the last reply is MQTT, or TLS.
  [[nodiscard]] std::string receive(std::size_t size) {
    std::string bytes(size, '\0');
    for (std::size_t got = 0; got < size;) {
      const ssize_t count = ::recv(fd_, bytes.data() + got, size - got, 0);
      if (count == 0) {
        throw fault("closed the connection");
      }
      if (count > 0) {
        got += static_cast<std::size_t>(count);
      } else {
        await_or_throw(POLLIN);
      }
    }
    return bytes;
  }

  /// "the proxy at ... did so".
  [[nodiscard]] Unreachable fault(const std::string& deed) const {
    return Unreachable(fmt::format("the proxy at {} {}", proxy_, deed));
  }

 private:
  void await_or_throw(std::int16_t events) {
    if (errno != EAGAIN && errno != EINTR) {
      throw Unreachable(fmt::format("the proxy at {}: {}", proxy_, errno_words(errno)));
    }
    await(fd_, events, deadline_, stop_, fmt::format("the proxy at {} was asked for it", proxy_));
  }

  int fd_;
  std::string proxy_;
  Deadline deadline_;
  const std::stop_token& stop_;
};

void authenticate(Conversation& conversation, const Proxy& proxy) {
  constexpr char negotiation = 1;  // a version of its own [RFC 1929 2]
  conversation.send(negotiation + counted(proxy.username, "proxy's user name") +
                    counted(proxy.password, "proxy's password"));
  if (conversation.receive(2)[1] != 0) {
    throw conversation.fault("refuses the user name or the password");
  }
}

void choose_method(Conversation& conversation, const Proxy& proxy) {
  const bool has_user = !proxy.username.empty();
  conversation.send(has_user ? std::string{version, 2, no_authentication, by_password}
                             : std::string{version, 1, no_authentication});
  const std::string choice = conversation.receive(2);
  if (choice[0] != version) {
    throw conversation.fault("does not speak SOCKS5");
  }
  if (choice[1] == by_password && has_user) {
    authenticate(conversation, proxy);
  } else if (choice[1] == none_acceptable) {
    throw conversation.fault(has_user ? "takes no user name and password" : "wants a user name and a password");
  } else if (choice[1] != no_authentication) {
    throw conversation.fault("chose a way to authenticate that it was not offered");
  }
}

void request(Conversation& conversation, const std::string& host, std::uint16_t port) {
  constexpr char connect = 1;
  constexpr char reserved = 0;
  conversation.send(std::string{version, connect, reserved} + address_of(host) + static_cast<char>(port >> 8U) +
                    static_cast<char>(port & 0xFFU));
  const std::string reply = conversation.receive(4);
  if (reply[0] != version) {
    throw conversation.fault("does not speak SOCKS5");
  }
  if (const auto code = static_cast<unsigned char>(reply[1]); code != 0) {
    throw conversation.fault(fmt::format("could not connect to it: {} (SOCKS reply {})", reply_text(code), code));
  }
  // The address that the proxy connects from, which tells us nothing, and its port.
  constexpr std::size_t port_size = 2;
  switch (reply[3]) {
    case ipv4: (void)conversation.receive(sizeof(in_addr) + port_size); break;
    case ipv6: (void)conversation.receive(sizeof(in6_addr) + port_size); break;
    case domain_name:
      (void)conversation.receive(static_cast<unsigned char>(conversation.receive(1)[0]) + port_size);
      break;
    default: throw conversation.fault("does not speak SOCKS5");
  }
}

}  // namespace

void connect_through(int fd, const Proxy& proxy, const std::string& host, std::uint16_t port, Deadline deadline,
                     const std::stop_token& stop) {
  Conversation conversation{fd, place(proxy.host, proxy.port), deadline, stop};
  choose_method(conversation, proxy);
  request(conversation, host, port);
}

}  // namespace sistem
