#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "common/paho/packet_ids.hpp"

namespace sistem {

/// PUBACK and PUBREC that wait until the messages that they acknowledge are written. They go in the order in which the
/// messages came [MQTT-4.6.0-2, MQTT-4.6.0-3], so that one that is not written holds back those after it. Pure.
class HeldAcknowledgements {
 public:
  /// `unwritten`: packet ids of messages that came on an earlier connection of this session.
  explicit HeldAcknowledgements(const std::set<std::uint16_t>& unwritten) {
    for (const std::uint16_t id : unwritten) {
      await(id);
    }
  }

  /// A message with that packet id is on its way to where it is written.
  void await(std::uint16_t id) { (void)unwritten_.add(id); }
  /// It is written; its acknowledgement may not be here yet.
  void written(std::uint16_t id) { unwritten_.remove(id); }

  void hold(std::uint16_t id, std::string packet) { held_.emplace_back(id, std::move(packet)); }
  /// The next that may go, which is held no more.
  [[nodiscard]] std::optional<std::string> next() {
    if (held_.empty() || unwritten_.has(held_.front().first)) {
      return std::nullopt;
    }
    std::string packet = std::move(held_.front().second);
    held_.pop_front();
    return packet;
  }
  [[nodiscard]] bool empty() const { return held_.empty(); }

 private:
  PacketIds unwritten_;
  std::deque<std::pair<std::uint16_t, std::string>> held_;
};

}  // namespace sistem
