#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "common/connection_config.hpp"
#include "common/measure/stamp.hpp"
#include "common/mqtt/message.hpp"
#include "common/process/stop.hpp"

namespace sistem {

/// Writes the stamps of one publisher: in MQTT 5 as user properties, before it as a line of the payload. Its time is
/// that of the system's clock where it began, and goes on with the clock that never jumps: what is done to the system's
/// clock during a run moves no stamp against another.
class Stamper {
 public:
  /// One moment, as both clocks say it.
  struct Moment {
    Stamp::Time wall;
    Deadline steady;
  };

  /// Begins at that moment.
  Stamper(std::string publisher, ProtocolVersion version, Moment begin);

  /// Whether this message gets a stamp. Before MQTT 5 one without a payload that is retained does not: it has the
  /// broker forget the one that it keeps, and with a stamp before its payload it would not.
  [[nodiscard]] bool takes(const Message& message) const;

  /// The next number is given to the message, which is sent `now` and should have been sent at `due`.
  void stamp(Deadline now, std::optional<Deadline> due, Message& message) const;
  /// It was sent: the one after it has the number after it.
  void count_last() { ++count_; }

  /// The message that comes last on that topic and says how many were stamped.
  [[nodiscard]] Message end(const std::string& topic, int qos, Deadline now) const;

  [[nodiscard]] std::uint64_t count() const { return count_; }

  /// What its clock says at that moment.
  [[nodiscard]] Stamp::Time on_the_wall(Deadline time) const;

 private:
  std::string publisher_;
  StampPlace place_;
  Moment begin_;
  std::uint64_t count_ = 0;
};

}  // namespace sistem
