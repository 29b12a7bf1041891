#include "common/net/peer.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "common/mqtt/packet.hpp"
#include "common/mqtt/reason.hpp"
#include "common/net/channel.hpp"
#include "common/process/error.hpp"
#include "common/text/screen_text.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? "" : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

constexpr std::size_t longest_banner = 60;

bool is_readable(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(),
                     [](char c) { return (c >= ' ' && c < 0x7F) || c == '\r' || c == '\n' || c == '\t'; });
}

/// As a banner or an error page begins; cut if it is long.
std::string first_line(std::string_view text) {
  const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  return shown(line.substr(0, longest_banner)) + (line.size() > longest_banner ? "..." : "");
}

/// Of a DISCONNECT: its reason code, if it is there [MQTT5 3.14.2].
std::string reason_in(std::string_view bytes) {
  const bool has_code =
      type_of(static_cast<std::uint8_t>(bytes[0])) == PacketType::disconnect && bytes.size() > 2 && bytes[1] > 0;
  return has_code ? fmt::format(" ({})", reason_text(static_cast<unsigned char>(bytes[2]))) : "";
}

}  // namespace

void await(int fd, std::int16_t events, Deadline deadline, const std::stop_token& stop, const std::string& doing) {
  switch (wait_for(fd, events, deadline, stop)) {
    case Woken::ready: return;
    case Woken::deadline: throw Unreachable(fmt::format("time was up while {}", doing));
    case Woken::stopped: throw Unreachable(fmt::format("stopped while {}", doing));
  }
}

Peer::Peer(Channel& channel, std::string name, Deadline deadline, const std::stop_token& stop)
    : channel_(channel), name_(std::move(name)), deadline_(deadline), stop_(stop) {}

Unreachable Peer::fault(std::string_view deed) const { return Unreachable(fmt::format("{} {}", name_, deed)); }

/// An alert of TLS may be the answer, which arrives before the end and with the first read [RFC 8446 4.4.2.4].
Unreachable Peer::closed(int error) {
  std::array<char, 256> rest{};
  while (!channel_.last_word() && channel_.read(rest.data(), rest.size()) > 0) {
  }
  return fault("closed the connection: " + channel_.last_word().value_or(errno_words(error)));
}

void Peer::send(std::string_view bytes, const std::string& doing) {
  while (!bytes.empty() || channel_.has_unsent()) {
    const iovec rest{const_cast<char*>(bytes.data()), bytes.size()};
    const ssize_t count = !bytes.empty() ? channel_.write(&rest, 1) : (channel_.flush() ? 0 : -1);
    if (count < 0 && errno != EAGAIN) {
      throw closed(errno);
    }
    bytes.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
    if (count < 0 || channel_.has_unsent()) {
      await(channel_.fd(), POLLOUT, deadline_, stop_, doing);
    }
  }
}

std::string Peer::receive(std::size_t size, const std::string& doing) {
  std::string bytes(size, '\0');
  for (std::size_t got = 0; got < size;) {
    const ssize_t count = channel_.read(bytes.data() + got, size - got);
    if (count > 0) {
      got += static_cast<std::size_t>(count);
    } else if (count < 0 && errno == EAGAIN) {
      await(channel_.fd(), POLLIN, deadline_, stop_, doing);
    } else {
      throw count == 0 ? fault("closed the connection without an answer") : closed(errno);
    }
  }
  return bytes;
}

HttpAnswer http_exchange(Peer& peer, const std::string& request) {
  constexpr std::size_t longest_head = 64 << 10;
  constexpr std::string_view http = "HTTP/";
  peer.send(request, fmt::format("sending a request to {}", peer.name()));
  const std::string waiting = fmt::format("waiting for the answer of {}", peer.name());
  std::string head;
  while (!head.ends_with("\r\n\r\n")) {
    head += peer.receive(1, waiting);
    if (head.size() == http.size() && head != http) {
      throw peer.fault("does not speak HTTP");  // and need not end a head either
    }
    if (head.size() > longest_head) {
      throw peer.fault("answers more than HTTP has to say");
    }
  }
  const auto lines = pieces(head, "\r\n");
  HttpAnswer answer{0, lines.front(), {}};
  for (const std::string& line : lines) {
    if (const std::size_t colon = line.find(':'); colon != std::string::npos) {
      answer.headers[in_small_letters(line.substr(0, colon))] = trimmed(std::string_view(line).substr(colon + 1));
    }
  }
  const std::size_t blank = answer.status_line.find(' ');
  const auto status = blank == std::string::npos
                          ? std::nullopt
                          : number_of<int>(std::string_view(answer.status_line).substr(blank + 1, 3));
  if (!status || !answer.status_line.starts_with("HTTP/1.")) {
    throw peer.fault("does not speak HTTP");
  }
  answer.status = *status;
  return answer;
}

/// Four bytes of text never begin a packet of MQTT that a broker may send: read as one they would be a CONNACK, or a
/// PUBLISH with a topic name, that is longer than itself.
std::optional<std::string> not_mqtt(std::string_view bytes) {
  if (bytes.empty()) {
    return std::nullopt;
  }
  const auto first = static_cast<std::uint8_t>(bytes.front());
  if (is_readable(bytes.substr(0, telling_bytes))) {
    if (bytes.size() < telling_bytes) {
      return std::nullopt;
    }
    const bool is_http = bytes.starts_with("HTTP");
    return is_http ? fmt::format("it answers {}: --ws?", first_line(bytes))
                   : fmt::format("it answers \"{}\": is it an MQTT broker?", first_line(bytes));
  }
  constexpr std::uint8_t tls_alert = 0x15;
  constexpr std::uint8_t tls_handshake = 0x16;
  constexpr char tls_version = 3;  // of all versions from SSL 3.0 to TLS 1.3 [RFC 8446 5.1]
  if (first == tls_alert || first == tls_handshake) {
    if (bytes.size() == 1) {
      return std::nullopt;
    }
    if (bytes[1] == tls_version) {
      return "it answers with TLS: --cafile or --tls-use-os-certs?";
    }
  }
  const PacketType type = type_of(first);
  if (first >> 4U == 0 || !has_right_flags(first)) {
    return fmt::format("what it answers is not MQTT (its first byte is 0x{:02X})", first);
  }
  switch (type) {
    case PacketType::connack: return std::nullopt;
    case PacketType::auth: return "it asks for another step of authentication (AUTH), which this tool cannot do";
    case PacketType::connect: return "it sends back what it gets: its first packet is CONNECT and not CONNACK";
    default: return fmt::format("its first packet is {}{} and not CONNACK", packet_name(type), reason_in(bytes));
  }
}

}  // namespace sistem
