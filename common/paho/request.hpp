#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/mqtt/packet.hpp"

namespace sistem {

/// The SUBSCRIBE or UNSUBSCRIBE that waits for its answer, of which there is one at a time. An answer belongs to a
/// connection, a type of packet and a packet id. Pure.
class Request {
 public:
  /// Something is asked for on that connection; what was before is forgotten.
  void ask(std::uint64_t connection, PacketType type, std::vector<std::string> filters) {
    connection_ = connection;
    type_ = type;
    filters_ = std::move(filters);
    id_.reset();
    answer_.reset();
  }
  /// The packet is on the wire.
  void sent(std::uint64_t connection, PacketType type, std::uint16_t id) {
    if (connection == connection_ && type == type_) {
      id_ = id;
    }
  }
  /// SUBACK or UNSUBACK has come.
  void heard(std::uint64_t connection, const Packet& packet) {
    if (connection == connection_ && id_ && packet.id == id_ && packet.type == answer_type()) {
      answer_ = packet;
      filters_.clear();
    }
  }

  [[nodiscard]] const std::optional<Packet>& answer() const { return answer_; }
  [[nodiscard]] bool is_subscribe() const { return type_ == PacketType::subscribe; }
  /// Those that have no answer yet.
  [[nodiscard]] const std::vector<std::string>& filters() const { return filters_; }

 private:
  [[nodiscard]] PacketType answer_type() const { return is_subscribe() ? PacketType::suback : PacketType::unsuback; }

  std::uint64_t connection_ = 0;
  PacketType type_ = PacketType::subscribe;
  std::vector<std::string> filters_;
  std::optional<std::uint16_t> id_;
  std::optional<Packet> answer_;
};

}  // namespace sistem
