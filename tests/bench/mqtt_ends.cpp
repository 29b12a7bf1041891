#include "tests/bench/mqtt_ends.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "tests/bench/clock.hpp"
#include "tests/bench/mqtt_wire.hpp"

namespace sistem::bench {
namespace {

// As many of a flood may be unacknowledged. Enough that the client never waits for us; few enough that its
// acknowledgements fit into the socket while we are busy with writing.
constexpr int flood_window = 1000;
constexpr std::size_t flood_piece = std::size_t{64} * 1024;

void say(const std::string& line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

/// Whether a CONNECT speaks MQTT 5: its body begins with the length and name of the protocol.
bool is_version_5(const Packet& connect) { return connect.body.size() > 6 && connect.body[6] == 5; }

void append_connack(std::string& out, bool version_5) {
  append(out, Type::connack, version_5 ? std::string_view{"\0\0\0", 3} : std::string_view{"\0\0", 2});
}

/// Grants each filter of a SUBSCRIBE what it asks for.
void append_suback(std::string& out, const Packet& subscribe, bool version_5) {
  std::string answer{subscribe.id()};
  std::size_t at = 2;
  if (version_5) {
    answer.push_back('\0');                                                              // no properties
    at += 1 + static_cast<std::size_t>(static_cast<unsigned char>(subscribe.body[at]));  // and its own are skipped
  }
  while (at + 2 < subscribe.body.size()) {
    at += 2 + (static_cast<std::size_t>(static_cast<unsigned char>(subscribe.body[at])) << 8 |
               static_cast<unsigned char>(subscribe.body[at + 1]));
    answer.push_back(static_cast<char>(subscribe.body[at] & 3));
    ++at;
  }
  append(out, Type::suback, answer);
}

/// What both ends without a broker answer alike; false where it is none of these.
bool answered(std::string& out, const Packet& packet, bool& version_5) {
  switch (packet.type()) {
    case Type::connect:
      version_5 = is_version_5(packet);
      append_connack(out, version_5);
      return true;
    case Type::subscribe: append_suback(out, packet, version_5); return true;
    case Type::unsubscribe:
      append(out, Type::unsuback, std::string{packet.id()} + (version_5 ? std::string(2, '\0') : ""));
      return true;
    case Type::pingreq: append(out, Type::pingresp, ""); return true;
    default: return false;
  }
}

std::string payload(const Flood& flood) {
  const auto size = static_cast<std::size_t>(flood.size);
  if (!flood.json) {
    std::string text;
    while (text.size() < size) {
      text += "0123456789abcdefghijklmnopqrstuvwxyz";
    }
    return text.substr(0, size);
  }
  const std::string front = R"({"celsius":28.5,"name":")";
  const std::string end = "\"}";
  return front + std::string(size - std::min(size, front.size() + end.size()), 'x') + end;
}

/// A PUBLISH of the flood; its packet id, where it has one, is to be filled in at `id_at`.
struct Template {
  std::string bytes;
  std::size_t id_at;
};
Template compiled(const Flood& flood, bool version_5) {
  std::string body;
  body.push_back(static_cast<char>(flood.topic.size() >> 8));
  body.push_back(static_cast<char>(flood.topic.size() & 0xFF));
  body += flood.topic;
  const std::size_t id_in_body = body.size();
  body += flood.qos > 0 ? std::string(2, '\0') : "";
  body += version_5 ? std::string(1, '\0') : "";
  body += payload(flood);
  Template made{{static_cast<char>(0x30 | flood.qos << 1)}, 0};
  for (std::size_t left = body.size(), more = 1; more != 0; left >>= 7) {
    more = left >> 7;
    made.bytes.push_back(static_cast<char>((left & 0x7F) | (more != 0 ? 0x80 : 0)));
  }
  made.id_at = made.bytes.size() + id_in_body;
  made.bytes += body;
  return made;
}

/// Sends a flood as fast as the other side takes it, and waits for its acknowledgements.
class Flooding {
 public:
  Flooding(const Flood& flood, bool version_5) : flood_(flood), message_(compiled(flood, version_5)) {}

  /// False when the other side has gone before all was sent and acknowledged.
  bool run(Connection& connection) {
    began_ = monotonic_ns();
    while (sent_ < flood_.messages) {
      while (may_send() && connection.out.size() < flood_piece) {
        append_next(connection.out);
      }
      const bool full = unfinished() >= flood_window;
      if (!connection.flush() || !listen(connection, full ? Connection::Wait::yes : Connection::Wait::no)) {
        return false;
      }
    }
    while (unfinished() > 0) {
      if (!listen(connection, Connection::Wait::yes)) {
        return false;
      }
    }
    return true;
  }

  /// Also after the flood: whoever has got all of it may go on pinging.
  bool listen(Connection& connection, Connection::Wait wait) {
    return connection.read(
        [&](const Packet& packet) {
          switch (packet.type()) {
            case Type::puback:
            case Type::pubcomp: ++finished_; break;
            case Type::pubrec: append(connection.out, Type::pubrel, packet.id(), 2); break;
            case Type::pingreq: append(connection.out, Type::pingresp, ""); break;
            default: break;
          }
        },
        wait);
  }

  [[nodiscard]] std::string report() const {
    return fmt::format(R"({{"began_ns":{},"sent":{},"acknowledged":{}}})", began_, sent_, finished_);
  }

 private:
  [[nodiscard]] int unfinished() const { return flood_.qos > 0 ? sent_ - finished_ : 0; }
  [[nodiscard]] bool may_send() const { return sent_ < flood_.messages && unfinished() < flood_window; }

  void append_next(std::string& out) {
    const int id = sent_ % 0xFFFF + 1;
    ++sent_;
    const std::size_t at = out.size() + message_.id_at;
    out += message_.bytes;
    if (flood_.qos > 0) {
      out[at] = static_cast<char>(id >> 8);
      out[at + 1] = static_cast<char>(id & 0xFF);
    }
  }

  Flood flood_;
  Template message_;
  std::int64_t began_ = 0;
  int sent_ = 0;
  int finished_ = 0;
};

/// What came by one connection.
struct Arrived {
  int publishes = 0;
  int repeated = 0;  ///< of them sent again: DUP
  std::int64_t payload_bytes = 0;
  std::int64_t first = 0;  ///< when: all of one read arrived with it
  std::int64_t last = 0;
  std::vector<std::int64_t> times;  ///< of each, where that is asked for

  void add(const Publication& message, std::int64_t now) {
    ++publishes;
    payload_bytes += static_cast<std::int64_t>(message.payload);
    first = first != 0 ? first : now;
    last = now;
  }
};

void print(const Arrived& arrived) {
  std::string line =
      fmt::format(R"({{"messages":{},"repeated":{},"payload_bytes":{},"first_ns":{},"last_ns":{})", arrived.publishes,
                  arrived.repeated, arrived.payload_bytes, arrived.first, arrived.last);
  if (!arrived.times.empty()) {
    line += R"(,"arrivals_us":[)";
    for (const std::int64_t time : arrived.times) {
      line += fmt::format("{}{}", line.back() == '[' ? "" : ",", (time - arrived.first) / 1000);
    }
    line += "]";
  }
  say(line + "}");
}

void serve(Connection& connection, bool arrivals) {
  Arrived arrived;
  bool version_5 = false;
  bool goes_on = true;
  while (goes_on) {
    std::int64_t now = 0;
    const auto handle = [&](const Packet& packet) {
      now = now != 0 ? now : monotonic_ns();
      if (packet.type() == Type::publish) {
        const Publication message = publication(packet, version_5);
        arrived.add(message, now);
        arrived.repeated += packet.first >> 3 & 1;
        if (packet.qos() > 0) {
          append(connection.out, packet.qos() == 1 ? Type::puback : Type::pubrec, message.id);
        }
        if (arrivals) {
          arrived.times.push_back(now);
        }
      } else if (packet.type() == Type::pubrel) {
        append(connection.out, Type::pubcomp, packet.id());
      } else if (!answered(connection.out, packet, version_5)) {
        goes_on = packet.type() != Type::disconnect;
      }
    };
    goes_on = connection.read(handle) && goes_on;
  }
  print(arrived);
}

/// Introduces us to a broker.
void greet(Connection& connection, std::string_view id) {
  std::string body{"\0\4MQTT\4\2\0\0\0", 11};
  body.push_back(static_cast<char>(id.size()));
  append(connection.out, Type::connect, body + std::string{id});
  bool accepted = false;
  while (!accepted) {
    if (!connection.flush() || !connection.read([&](const Packet& packet) {
          accepted = packet.type() == Type::connack && packet.body.size() > 1 && packet.body[1] == 0;
        })) {
      throw std::runtime_error("the broker did not accept the connection");
    }
  }
}

}  // namespace

void acknowledge(int port, bool arrivals) {
  const Listener listener = listen_on(port);
  say(fmt::format(R"({{"port":{}}})", listener.port));
  while (true) {
    Connection connection{accept_from(listener)};
    serve(connection, arrivals);
  }
}

void send(int port, const Flood& flood) {
  const Listener listener = listen_on(port);
  say(fmt::format(R"({{"port":{}}})", listener.port));
  Connection connection{accept_from(listener)};
  bool version_5 = false;
  bool subscribed = false;
  while (!subscribed) {
    if (!connection.read([&](const Packet& packet) {
          subscribed = packet.type() == Type::subscribe;
          answered(connection.out, packet, version_5);
        })) {
      throw std::runtime_error("the client went before it subscribed");
    }
  }
  Flooding flooding{flood, version_5};
  bool there = flooding.run(connection);
  while (there) {
    there = flooding.listen(connection, Connection::Wait::yes);
  }
  say(flooding.report());
}

void publish(int port, const Flood& flood) {
  Connection connection{connect_to(port)};
  connection.patience_is(default_patience);
  greet(connection, "gauge-publish");
  Flooding flooding{flood, false};
  if (!flooding.run(connection)) {
    throw std::runtime_error("the broker went before the flood was over");
  }
  append(connection.out, Type::disconnect, "");
  connection.flush();
  say(flooding.report());
}

void take(int port, int messages, double patience) {
  Connection connection{connect_to(port)};
  connection.patience_is(patience);
  greet(connection, "gauge-take");
  append(connection.out, Type::subscribe, std::string_view{"\0\1\0\7bench/#\0", 12}, 2);
  connection.flush();
  Arrived arrived;
  bool there = true;
  while (there && arrived.publishes < messages) {
    std::int64_t now = 0;
    there = connection.read([&](const Packet& packet) {
      now = now != 0 ? now : monotonic_ns();
      if (packet.type() == Type::suback) {
        say(R"({"ready":true})");
      } else if (packet.type() == Type::publish) {
        arrived.add(publication(packet, false), now);
      }
    });
  }
  print(arrived);
}

}  // namespace sistem::bench
