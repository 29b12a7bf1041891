#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>

#include "common/process/stop.hpp"

namespace sistem {

class Channel;

/// Why one way to the broker failed, fit for the middle of a sentence: "connection refused (tried 127.0.0.1)".
/// Dialer makes an Error of it.
class Unreachable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// wait_for(), where anything but ready is the end of the way. Throws Unreachable, which says that it happened
/// "while" `doing`.
void await(int fd, std::int16_t events, Deadline deadline, const std::stop_token& stop, const std::string& doing);

/// Who is asked for the way before it leads to the broker: a proxy, or the server of a WebSocket. Throws Unreachable,
/// which calls it `name`, where it does not do its part in time.
class Peer {
 public:
  Peer(Channel& channel, std::string name, Deadline deadline, const std::stop_token& stop);

  /// `doing`: what is said to go on while it is waited for.
  void send(std::string_view bytes, const std::string& doing);
  /// Exactly so many bytes: what follows belongs to somebody else.
  [[nodiscard]] std::string receive(std::size_t size, const std::string& doing);

  [[nodiscard]] const std::string& name() const { return name_; }
  /// "the proxy at ... did so".
  [[nodiscard]] Unreachable fault(std::string_view deed) const;

 private:
  [[nodiscard]] Unreachable closed(int error);

  Channel& channel_;
  std::string name_;
  Deadline deadline_;
  const std::stop_token& stop_;
};

/// How a server answers a request whose answer has no body: a proxy's to CONNECT, a WebSocket's to its upgrade.
struct HttpAnswer {
  int status = 0;
  std::string status_line;                     ///< "HTTP/1.1 403 Forbidden"
  std::map<std::string, std::string> headers;  ///< by their names in small letters
};

/// Sends a request and reads the answer up to the empty line after its headers, and not a byte more.
[[nodiscard]] HttpAnswer http_exchange(Peer& peer, const std::string& request);

/// So many bytes tell by what protocol a peer speaks.
inline constexpr std::size_t telling_bytes = 4;

/// What a peer has said first that is not CONNACK, in a few words, with the option that it suggests: "it answers
/// HTTP/1.1 400 Bad Request: --ws?". `bytes` are the first of the connection; nothing if they begin a CONNACK, or are
/// too few to tell.
[[nodiscard]] std::optional<std::string> not_mqtt(std::string_view bytes);

}  // namespace sistem
