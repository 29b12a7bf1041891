#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "common/connection_config.hpp"
#include "common/measure/stamp.hpp"
#include "common/mqtt/message.hpp"
#include "common/process/stop.hpp"
#include "common/session.hpp"

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
  void stamp(Deadline now, std::optional<Deadline> due, Message& message);
  /// It was sent: the one after it has the number after it.
  void count_last() { ++count_; }

  /// The message that comes last, where the last stamped one went, and says how many were stamped.
  [[nodiscard]] Message end(Deadline now) const;

  [[nodiscard]] std::uint64_t count() const { return count_; }

  /// Asks several times how the clock of whoever verifies on that topic stands, and takes the answer that is least
  /// uncertain; nothing where none came within a second. Throws Error as the session does, and topic_refused where the
  /// broker does not let it listen for answers.
  [[nodiscard]] std::optional<ClockOffset> ask_for_offset(Session& session, const std::string& topic,
                                                          const std::stop_token& stop) const;

 private:
  [[nodiscard]] Stamp::Time on_the_wall(Deadline time) const;

  std::string publisher_;
  StampPlace place_;
  Moment begin_;
  std::uint64_t count_ = 0;
  Message end_;  ///< but for the stamp
};

}  // namespace sistem
