#include "common/net/proxy.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <string_view>

#include "common/net/peer.hpp"
#include "common/text/encoding.hpp"

namespace sistem {
namespace {

constexpr char version = 5;
constexpr char no_authentication = 0;
constexpr char by_password = 2;
constexpr char none_acceptable = '\xFF';
constexpr char ipv4 = 1;
constexpr char domain_name = 3;
constexpr char ipv6 = 4;

/// What a REP says that is not 0 [RFC 1928 6].
std::string_view reply_text(unsigned char reply) {
  constexpr std::array<std::string_view, 9> replies{"",
                                                    "general failure",
                                                    "its rules do not allow it",
                                                    "network is unreachable",
                                                    "host is unreachable",
                                                    "connection refused",
                                                    "TTL expired",
                                                    "it does not know CONNECT",
                                                    "it does not know such addresses"};
  return reply < replies.size() ? replies[reply] : replies[1];
}

/// Bytes with their length before them, which has one byte.
std::string with_length(const std::string& text, const std::string& what) {
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
  return domain_name + with_length(host, "broker's name");
}

/// A conversation with a SOCKS proxy.
class Socks {
 public:
  explicit Socks(Peer& peer) : peer_(peer), doing_(fmt::format("{} was asked for it", peer.name())) {}

  void choose_method(const Proxy& proxy) {
    const bool has_user = !proxy.username.empty();
    const std::string choice = answer_to(
        has_user ? std::string{version, 2, no_authentication, by_password} : std::string{version, 1, no_authentication},
        2);
    expect(choice[0] == version);
    if (choice[1] == by_password && has_user) {
      authenticate(proxy);
    } else if (choice[1] == none_acceptable) {
      throw peer_.fault(has_user ? "takes no user name and password" : "wants a user name and a password");
    } else if (choice[1] != no_authentication) {
      throw peer_.fault("chose a way to authenticate that it was not offered");
    }
  }

  void request(const std::string& host, std::uint16_t port) {
    constexpr char connect = 1;
    constexpr char reserved = 0;
    const std::string reply =
        answer_to(std::string{version, connect, reserved} + address_of(host) + big_endian(port, 2), 4);
    expect(reply[0] == version);
    if (const auto code = static_cast<unsigned char>(reply[1]); code != 0) {
      throw peer_.fault(fmt::format("could not connect to it: {} (SOCKS reply {})", reply_text(code), code));
    }
    // The address that the proxy connects from, which tells us nothing, and its port.
    const char type = reply[3];
    expect(type == ipv4 || type == ipv6 || type == domain_name);
    const std::size_t address_size = type == ipv4   ? sizeof(in_addr)
                                     : type == ipv6 ? sizeof(in6_addr)
                                                    : static_cast<unsigned char>(peer_.receive(1, doing_)[0]);
    (void)peer_.receive(address_size + sizeof port, doing_);
  }

 private:
  std::string answer_to(std::string_view bytes, std::size_t size) {
    peer_.send(bytes, doing_);
    return peer_.receive(size, doing_);
  }

  void expect(bool is_right) const {
    if (!is_right) {
      throw peer_.fault("does not speak SOCKS5");
    }
  }

  void authenticate(const Proxy& proxy) {
    constexpr char negotiation = 1;  // a version of its own [RFC 1929 2]
    const std::string answer = answer_to(negotiation + with_length(proxy.username, "proxy's user name") +
                                             with_length(proxy.password, "proxy's password"),
                                         2);
    if (answer[1] != 0) {
      throw peer_.fault("refuses the user name or the password");
    }
  }

  Peer& peer_;
  std::string doing_;
};

void connect_by_http(Peer& peer, const Proxy& proxy, const std::string& target) {
  const std::string login = proxy.username.empty() ? ""
                                                   : fmt::format("Proxy-Authorization: Basic {}\r\n",
                                                                 base64(proxy.username + ":" + proxy.password));
  const HttpAnswer answer =
      http_exchange(peer, fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n{1}\r\n", target, login));
  if (answer.status < 200 || answer.status > 299) {
    throw peer.fault(fmt::format("does not connect to it: {}", answer.status_line));
  }
}

}  // namespace

void connect_through(Channel& channel, const Proxy& proxy, const std::string& host, std::uint16_t port,
                     Deadline deadline, const std::stop_token& stop) {
  Peer peer{channel, fmt::format("the proxy at {}", place(proxy.host, proxy.port)), deadline, stop};
  if (proxy.kind == Proxy::Kind::http) {
    connect_by_http(peer, proxy, place(host, port));
    return;
  }
  Socks socks{peer};
  socks.choose_method(proxy);
  socks.request(host, port);
}

}  // namespace sistem
