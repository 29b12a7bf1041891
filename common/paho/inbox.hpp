#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "common/mqtt/message.hpp"
#include "common/session.hpp"

namespace sistem {

/// What has arrived and was not taken yet, oldest first. Pure: no thread, no clock.
class Inbox {
 public:
  enum class Counts : std::uint8_t { nothing, unwritten };

  /// `unwritten`: it knows which messages are not written yet; not together with an overflow that drops.
  explicit Inbox(Overflow overflow, Counts counts = Counts::nothing) : overflow_(overflow), counts_(counts) {}

  /// The message is whole. Keeps steady times of arrival monotonic: they are computed from two clocks and could go
  /// back.
  void put(Message message);

  struct Taken {
    std::vector<Message> messages;
    std::size_t of_this_connection = 0;  ///< so many of them its wire counts as being on their way
  };
  [[nodiscard]] Taken take();

  /// There is a new connection: of what waits here its wire knows nothing.
  void new_connection() { unknown_to_wire_ = arrivals_.size(); }

  /// Accepts at most so many messages from now on, including those that wait; nothing: no limit.
  void limit(std::optional<std::size_t> messages) { left_ = messages; }
  /// How many of them the wire may bring.
  [[nodiscard]] std::optional<std::size_t> left_for_wire() const;

  /// Whether messages are reported to the wire as consumed when they arrive, because what is too much is dropped here.
  [[nodiscard]] bool drops() const { return overflow_ != Overflow::block; }

  [[nodiscard]] bool empty() const { return arrivals_.empty(); }
  /// Of those that wait, how many the wire does not count, and how many it does.
  [[nodiscard]] std::size_t unknown_to_wire() const { return unknown_to_wire_; }
  [[nodiscard]] std::size_t known_to_wire() const { return arrivals_.size() - unknown_to_wire_; }
  [[nodiscard]] std::size_t dropped() const { return dropped_; }

  // The packet ids of messages of QoS 2 whose exchange is not over, in a session that is kept.
  void begin_exchange(std::uint16_t id) { half_received_.insert(id); }
  void end_exchange(std::uint16_t id) { half_received_.erase(id); }
  [[nodiscard]] const std::set<std::uint16_t>& half_received() const { return half_received_; }

  // Where it counts what is unwritten: packet ids of messages of QoS 1 and 2.

  /// Of what take() has given since the last call.
  [[nodiscard]] std::vector<std::uint16_t> take_given() { return std::exchange(given_, {}); }
  /// Those and the ones that wait: what has come in this session and is not written.
  [[nodiscard]] std::set<std::uint16_t> unwritten() const;

  /// The session is gone, and the next one's packet ids mean other messages.
  void forget_session();

 private:
  void drop_what_is_too_much();
  [[nodiscard]] std::vector<std::uint16_t> unwritten_waiting() const;

  const Overflow overflow_;
  const Counts counts_;
  std::deque<Message> arrivals_;
  std::size_t bytes_ = 0;  ///< of their payloads, if too many are dropped
  std::size_t unknown_to_wire_ = 0;
  std::size_t dropped_ = 0;
  std::optional<std::size_t> left_;
  std::chrono::steady_clock::time_point last_arrival_;
  std::set<std::uint16_t> half_received_;
  std::vector<std::uint16_t> given_;
  std::size_t of_another_session_ = 0;  ///< so many of the first that wait
};

}  // namespace sistem
