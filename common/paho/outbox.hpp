#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "common/mqtt/limits.hpp"
#include "common/mqtt/message.hpp"
#include "common/mqtt/packet.hpp"
#include "common/mqtt/topic_aliases.hpp"
#include "common/paho/ledger.hpp"
#include "common/paho/resend.hpp"
#include "common/paho/suspicion.hpp"
#include "common/paho/window.hpp"
#include "common/process/stop.hpp"

namespace sistem {

/// What becomes of each message that was taken for publishing: it waits, is handed to the MQTT library, is on the wire,
/// and in the end acknowledged or refused; or its connection is lost, and it goes again on the next. Pure: no thread,
/// no library, no clock of its own. Numbers are the window's.
///
/// A clean session hands everything unacknowledged to the library again, in order. In a session that the broker keeps,
/// the library carries on what it has of QoS 1 and 2 by itself [MQTT-4.4.0-1], and the outbox learns from the packets
/// on the wire which message has which packet id, and what became of it: Paho C 1.3.12 tells nobody of the end of some
/// exchanges that a loss has interrupted.
class Outbox {
 public:
  struct Rules {
    std::optional<std::size_t> max_inflight;  ///< messages of QoS 1 and 2 without acknowledgement at a time
    bool is_v5 = false;
    bool is_kept = false;  ///< the session is
    bool has_aliases = false;
  };
  Outbox(const Rules& rules, Suspicion& suspicion);

  /// How many messages may be taken and not acknowledged, at most.
  [[nodiscard]] static std::size_t capacity(const std::optional<std::size_t>& max_inflight);

  // For whoever publishes.

  [[nodiscard]] bool has_room(int qos) const { return window_.has_room(qos); }
  /// Takes a message for which there is room.
  void take(Message&& message, Deadline now);
  [[nodiscard]] std::size_t unacknowledged() const { return window_.unacknowledged(); }
  /// Grows whenever a message is acknowledged or refused.
  [[nodiscard]] std::uint64_t settled() const { return settled_; }
  /// The last acknowledgement, or the moment since which one is waited for.
  [[nodiscard]] Deadline progress_at() const { return progress_at_; }
  void note_progress(Deadline now) { progress_at_ = now; }

  /// What is told of each.
  [[nodiscard]] Ledger& ledger() { return ledger_; }
  [[nodiscard]] const Ledger& ledger() const { return ledger_; }

  // What goes to the library, in order.

  struct Outgoing {
    std::uint64_t number = 0;
    bool is_again = false;           ///< another connection has seen it
    bool is_last = false;            ///< no other waits
    const Message* taken = nullptr;  ///< good until next() or start_anew()
    std::optional<Message> with_alias = std::nullopt;
    [[nodiscard]] const Message& message() const { return with_alias ? *with_alias : *taken; }
  };
  /// The next message that this connection has not seen; nothing if there is none, or it must wait for an
  /// acknowledgement. What the broker has said that it does not take is refused here, and not given.
  [[nodiscard]] std::optional<Outgoing> next(Deadline now);
  /// The library has not taken it, for the connection has just gone.
  void put_back(const Outgoing& outgoing);
  /// The library does not take it, whatever the connection: it is neither acknowledged nor refused.
  void forget(const Outgoing& outgoing);

  // What the library tells.

  /// A message of QoS 0 is written: it may wait in the wire yet.
  void written(std::uint64_t number, Deadline now);
  void acknowledged(std::uint64_t number, Deadline now);
  /// By PUBACK or PUBREC with that reason code.
  void refused(std::uint64_t number, std::uint16_t id, int code, Deadline now);

  // What the wire tells.

  /// So many messages of QoS 0 have left the wire; `all`: none waits in it. This may come before written().
  void handed_on(std::uint64_t messages, bool all, Deadline now);
  /// PUBLISH with a packet id is on the wire.
  void on_sent(std::uint16_t id);
  /// PUBACK, PUBREC or PUBCOMP has come.
  void on_answer(const Packet& packet, Deadline now);
  /// A message with that packet id is about to leave. For what the library has from an earlier connection the same
  /// holds as for what is handed over on this one.
  [[nodiscard]] Resend resend(std::uint16_t id, Deadline now);

  // What becomes of connections.

  /// There is a new one; nothing was sent on it.
  void new_connection(std::string broker);
  /// The client that sends on it knows of no other: all that is unacknowledged goes to it.
  void start_anew();
  /// CONNACK has come.
  void limit(const BrokerLimits& limits) { limits_ = limits; }
  [[nodiscard]] const BrokerLimits& limits() const { return limits_; }
  /// The broker has accepted it, and `goes_on` with the session of the connection before.
  void accepted(bool goes_on);
  void lost();
  /// All that was taken is sent: what was lost with the last connection was made up for.
  void regained() { has_lost_unacknowledgeable_ = false; }
  /// A connection was lost after messages of QoS 0 were sent on it, and has not been regained.
  [[nodiscard]] bool has_lost_unacknowledgeable() const { return has_lost_unacknowledgeable_; }
  /// Whether a message of QoS 0 has left this connection's wire.
  [[nodiscard]] bool has_handed_on() const { return written_.handed_on > 0; }

  [[nodiscard]] bool all_sent() const { return window_.all_sent(); }
  /// Whether next() has nothing to give although not all were sent.
  [[nodiscard]] bool must_wait() const { return window_.must_wait(); }
  /// Whether no message of QoS 1 or 2 that was sent on this connection waits for its acknowledgement.
  [[nodiscard]] bool awaits_none() const { return window_.awaits_none(); }
  /// Messages need go one at a time no longer.
  void end_care();

  /// The message that a broker has closed the connection for, in a sentence; nothing if it is not here any more.
  [[nodiscard]] std::optional<std::string> accusation(Suspicion::Suspect suspect, bool is_alone) const;
  void refuse_suspect(Suspicion::Suspect suspect, const std::string& why, Deadline now);
  /// What is not acknowledged, as the end of a sentence; empty if there is nothing.
  [[nodiscard]] std::string words_on_unacknowledged() const;

 private:
  /// Of this connection, in a session that is kept: messages of QoS 1 and 2.
  struct Carried {
    std::deque<std::uint64_t> handed;                  ///< the library has them, and has not sent them yet;
    std::size_t of_before = 0;                         ///< so many of them since an earlier connection
    std::map<std::uint16_t, std::uint64_t> under_way;  ///< by packet id
    std::set<std::uint16_t> resent;                    ///< and not acknowledged
  };
  /// Messages of QoS 0 that the library calls written, and how many have left the wire.
  struct Written {
    std::deque<std::uint64_t> numbers;  ///< that are not known to have
    std::uint64_t sum = 0;
    std::uint64_t handed_on = 0;
  };

  void undo_next(const Outgoing& outgoing);
  [[nodiscard]] bool goes_alone() const { return suspicion_.is_careful() || window_.unacknowledged() == 1; }
  [[nodiscard]] Window<Message>::Inflight inflight() const;
  [[nodiscard]] static PublishInfo info_of(const Message& message);
  [[nodiscard]] std::optional<Message> aliased(const Message& message);
  void acknowledge(std::uint64_t number, Deadline now);
  void acknowledge_handed_on(bool all, Deadline now);
  void settle(std::uint16_t id, Deadline now);
  void refuse_unsent(std::uint64_t number, const std::string& topic, const std::string& fault, Deadline now);
  void refuse(std::uint64_t number, const std::string& reason, const std::string& why, Deadline now);

  const Rules rules_;
  Suspicion& suspicion_;
  Window<Message> window_;
  Ledger ledger_;
  Carried carried_;
  Written written_;
  std::uint64_t never_sent_ = 0;  ///< the first message of the window that no connection has seen
  std::uint64_t settled_ = 0;
  Deadline progress_at_{};

  // Of this connection.
  std::string broker_;
  bool is_lost_ = true;
  BrokerLimits limits_;
  TopicAliases aliases_;
  std::map<std::uint16_t, std::string> refusals_;  ///< why, by packet id
  bool has_lost_unacknowledgeable_ = false;
};

}  // namespace sistem
