#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "common/paho/gate.hpp"
#include "common/paho/packet_ids.hpp"

namespace sistem {

/// Which of the broker's messages are let in. The others are dropped unacknowledged, as if they had never arrived: in a
/// session that is kept they stay with the broker.
enum class Admits : std::uint8_t { all, only_qos_0, none };

/// Which of the messages that have come may pass to the library, which acknowledges whatever it gets, and which must
/// wait: only so many may be on their way through it to the tool. Pure: no thread, no socket.
///
/// The exchanges of QoS 2 end here: such a message is delivered when it arrives, and its packet id is remembered until
/// its PUBREL, so that it is delivered once.
class Admission {
 public:
  /// `known`: packet ids of messages of QoS 2 that were delivered on an earlier connection of this session, and whose
  /// PUBREL has not arrived.
  Admission(Admits admits, std::optional<std::size_t> at_most, const std::set<std::uint16_t>& known);

  struct Message {
    std::string packet;
    Gate::PublishHead head;
  };

  enum class Fate : std::uint8_t {
    passes,      ///< to the library, now
    waits,       ///< with others
    is_dropped,  ///< and stays with the broker
    is_known,    ///< it was delivered before, and has to be acknowledged again
  };
  /// What becomes of a message; one that passes is counted.
  [[nodiscard]] Fate admit(const Gate::PublishHead& head, std::size_t size);
  /// Whether a message of that QoS is let in at all.
  [[nodiscard]] bool lets_in(int qos) const {
    return admits_ == Admits::all || (admits_ == Admits::only_qos_0 && qos == 0);
  }
  /// One that waits.
  void hold(Message message);
  /// The first of those that wait, if it may pass now; it does, or is known.
  [[nodiscard]] std::optional<std::pair<Message, Fate>> next();

  /// So many messages have reached the end of their way.
  void consumed(std::size_t messages);
  /// So many may pass, those on their way among them; none: all.
  void limit(std::optional<std::size_t> messages) { at_most_ = messages; }
  /// Lets in nothing more, and forgets those that wait.
  void close();
  /// PUBREL has come. Whether its packet id was known.
  bool end_exchange(std::uint16_t id);

  /// Whether more is to be read: `unfinished` bytes of a message are there already.
  [[nodiscard]] bool may_read(std::size_t unfinished) const;
  /// Whoever waits for an answer, which may stand behind any number of messages, has all of them read.
  /// Any thread may call.
  void read_without_limit(bool yes) { without_limit_ = yes; }

  /// How many have come and not reached the end of their way.
  [[nodiscard]] std::size_t unconsumed() const { return passed_.size() + held_.size(); }
  /// Whether a message that passed with that packet id had QoS 2. Any thread may ask.
  [[nodiscard]] bool had_qos_2(std::uint16_t id) const { return open_.has(id); }
  /// Whether all exchanges of QoS 2 have ended. Any thread may ask.
  [[nodiscard]] bool all_exchanged() const { return open_.empty(); }

 private:
  [[nodiscard]] bool may_pass() const;
  void pass(std::size_t size);

  Admits admits_;
  std::optional<std::size_t> at_most_;
  std::atomic<bool> without_limit_ = false;
  std::deque<std::size_t> passed_;  ///< sizes of the messages that passed and are not consumed
  std::size_t passed_bytes_ = 0;
  std::deque<Message> held_;
  std::size_t held_bytes_ = 0;
  PacketIds open_;  ///< of messages of QoS 2 that were let in and whose PUBREL has not come
};

}  // namespace sistem
