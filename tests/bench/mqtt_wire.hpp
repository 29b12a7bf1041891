#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// As much of MQTT 3.1.1 and 5 as a benchmark's other end needs, as fast as it can be had: it must never be what limits
/// the client that is measured. Nothing is checked that a client of the comparison does right.
namespace sistem::bench {

enum class Type : std::uint8_t {
  connect = 1,
  connack,
  publish,
  puback,
  pubrec,
  pubrel,
  pubcomp,
  subscribe,
  suback,
  unsubscribe,
  unsuback,
  pingreq,
  pingresp,
  disconnect
};

/// A packet, where it lies in the buffer that it was read into.
struct Packet {
  unsigned char first;
  std::string_view body;

  [[nodiscard]] Type type() const { return static_cast<Type>(first >> 4); }
  [[nodiscard]] int qos() const { return first >> 1 & 3; }
  /// The packet id of all that have it in front: acknowledgements and SUBSCRIBE.
  [[nodiscard]] std::string_view id() const { return body.substr(0, 2); }
};

/// Takes the packet that the bytes begin with off them; none where a part of it is still to come.
[[nodiscard]] std::optional<Packet> take_packet(std::string_view& bytes);

/// A PUBLISH without its topic name and, in MQTT 5, its properties.
struct Publication {
  std::string_view id;  ///< empty at QoS 0
  std::size_t payload;
};
[[nodiscard]] Publication publication(const Packet& packet, bool version_5);

/// Appends a packet of a type, with flags, that is nothing but a few bytes.
void append(std::string& out, Type type, std::string_view body, unsigned char flags = 0);

/// One end of a connection: read in large pieces, taken apart in place, answered once for each piece.
class Connection {
 public:
  /// Owns the socket, from which no packet is sent late for Nagle's sake.
  explicit Connection(int socket);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  enum class Wait { yes, no };
  /// Reads once and gives each packet that is complete to `handle`, then sends what `out` holds. False when the peer
  /// has gone, or has said nothing for as long as `patience_is` says.
  template <typename Handle>
  bool read(const Handle& handle, Wait wait = Wait::yes) {
    if (!fill(wait)) {
      return false;
    }
    std::string_view bytes{buffer_.data(), filled_};
    while (const auto packet = take_packet(bytes)) {
      handle(*packet);
    }
    keep(bytes);
    return flush();
  }

  /// What is appended here goes with the next flush.
  std::string out;
  bool flush();

  void patience_is(double seconds) const;

 private:
  bool fill(Wait wait);
  void keep(std::string_view rest);

  int socket_;
  std::vector<char> buffer_;
  std::size_t filled_ = 0;
};

/// A socket of 127.0.0.1 that listens, and its port, which is the given one or, for 0, a free one.
struct Listener {
  int socket;
  int port;
};
[[nodiscard]] Listener listen_on(int port);
[[nodiscard]] int accept_from(const Listener& listener);
[[nodiscard]] int connect_to(int port);

}  // namespace sistem::bench
