#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

namespace sistem {

/// The messages that were taken for publishing and are not acknowledged yet (QoS 0: written), in their order. Where a
/// connection is lost they go out again on the next one, in the same order. Knows nothing of threads or networks.
template <typename Message>
class Window {
 public:
  /// One message of the window: its number, which only ever grows, is how it is acknowledged.
  struct Numbered {
    std::uint64_t number;
    const Message& message;  ///< stays, acknowledged or not, until the next is asked for or send_again() is called
  };

  /// How many messages have an acknowledgement to come.
  struct Inflight {
    std::size_t all = 0;    ///< with QoS 1 or 2
    std::size_t qos_2 = 0;  ///< of them

    void add(int qos) {
      all += qos > 0 ? 1 : 0;
      qos_2 += qos == 2 ? 1 : 0;
    }
    void remove(int qos) {
      all -= qos > 0 ? 1 : 0;
      qos_2 -= qos == 2 ? 1 : 0;
    }
    /// Whether one more of that QoS may be.
    [[nodiscard]] bool is_below(const Inflight& limit, int qos) const {
      return qos == 0 || (all < limit.all && (qos == 1 || qos_2 < limit.qos_2));
    }
  };

  /// Full at `size` messages or `bytes` bytes, and for QoS 1 and 2 at `inflight`.
  Window(std::size_t size, std::size_t bytes, Inflight inflight)
      : size_limit_(size), bytes_limit_(bytes), inflight_limit_(inflight) {}

  /// Changes how many of them may have QoS 1 or 2: a broker may take fewer than the one before. What was taken under a
  /// higher limit stays, and goes out as the new one allows.
  void limit_inflight(Inflight inflight) { inflight_limit_ = inflight; }

  [[nodiscard]] bool has_room(int qos) const {
    return end() - open_ < size_limit_ && bytes_ < bytes_limit_ && inflight_.is_below(inflight_limit_, qos);
  }

  /// Takes a message of so many bytes for which there is room. Its number. Acknowledged messages before it are
  /// freed here: the thread that allocates frees fastest.
  std::uint64_t take(Message&& message, int qos, std::size_t bytes = 0) {
    while (first_ < open_ && first_ + 1 < next_) {
      entries_.pop_front();
      ++first_;
    }
    entries_.push_back({std::move(message), qos, bytes, false});
    ++unacknowledged_;
    bytes_ += bytes;
    inflight_.add(qos);
    return end() - 1;
  }

  /// The next message that has to go out on this connection; nothing when all have, or when it must wait for an
  /// acknowledgement of one that has.
  [[nodiscard]] std::optional<Numbered> next_to_send() {
    for (; next_ < end(); ++next_) {
      const Entry& entry = entries_[next_ - first_];
      if (!entry.acknowledged) {
        if (!sent_inflight_.is_below(inflight_limit_, entry.qos)) {
          return std::nullopt;
        }
        sent_inflight_.add(entry.qos);
        return Numbered{next_++, entry.message};
      }
    }
    return std::nullopt;
  }

  [[nodiscard]] bool all_sent() const { return next_ == end(); }

  /// Whether no message of QoS 1 or 2 that was sent on this connection waits for its acknowledgement.
  [[nodiscard]] bool awaits_none() const { return sent_inflight_.all == 0; }

  /// The number of the first unacknowledged message.
  [[nodiscard]] std::optional<std::uint64_t> first_unacknowledged() const {
    return open_ < end() ? std::optional(open_) : std::nullopt;
  }

  /// Whether next_to_send() has nothing to give although not all were sent.
  [[nodiscard]] bool must_wait() const {
    for (std::uint64_t number = next_; number < end(); ++number) {
      if (const Entry& entry = entries_[number - first_]; !entry.acknowledged) {
        return !sent_inflight_.is_below(inflight_limit_, entry.qos);
      }
    }
    return false;
  }

  /// The message with that number need not be sent again. One that is unknown or was acknowledged before is passed
  /// over.
  void acknowledge(std::uint64_t number) {
    if (number < open_ || number >= end() || entries_[number - first_].acknowledged) {
      return;
    }
    Entry& entry = entries_[number - first_];
    entry.acknowledged = true;
    --unacknowledged_;
    bytes_ -= entry.bytes;
    inflight_.remove(entry.qos);
    if (number < next_) {
      sent_inflight_.remove(entry.qos);
    }
    while (open_ < end() && entries_[open_ - first_].acknowledged) {
      ++open_;
    }
  }

  /// The message that next_to_send() gave last was not sent.
  void take_back(std::uint64_t number) {
    if (number + 1 == next_ && number >= first_) {
      --next_;
      sent_inflight_.remove(entries_[number - first_].qos);
    }
  }

  /// All that is unacknowledged has to go out again: there is a new connection.
  void send_again() {
    next_ = first_;
    sent_inflight_ = {};
  }

  /// The session goes on, and the library with it: it has what was sent on the connection before, and sends it again
  /// by itself where that needs it. What has QoS 0 was written, or is lost with the connection, as QoS 0 may be.
  void leave_to_library() {
    for (std::uint64_t number = first_; number < next_; ++number) {
      if (number >= first_ && entries_[number - first_].qos == 0) {
        acknowledge(number);
      }
    }
  }

  /// The message with that number, while it is unacknowledged; else nullptr.
  [[nodiscard]] const Message* find(std::uint64_t number) const {
    return has(number) ? &entries_[number - first_].message : nullptr;
  }

  /// Whether that message is one of the unacknowledged.
  [[nodiscard]] bool has(std::uint64_t number) const {
    return number >= open_ && number < end() && !entries_[number - first_].acknowledged;
  }

  /// How many messages are unacknowledged.
  [[nodiscard]] std::size_t unacknowledged() const { return unacknowledged_; }

 private:
  struct Entry {
    Message message;
    int qos;
    std::size_t bytes;
    bool acknowledged;
  };

  [[nodiscard]] std::uint64_t end() const { return first_ + entries_.size(); }

  std::size_t size_limit_;
  std::size_t bytes_limit_;
  Inflight inflight_limit_;
  std::deque<Entry> entries_;
  std::uint64_t first_ = 0;  ///< the number of entries_.front()
  std::uint64_t open_ = 0;   ///< of the first that is not acknowledged
  std::uint64_t next_ = 0;   ///< of the next message to send
  std::size_t unacknowledged_ = 0;
  std::size_t bytes_ = 0;   ///< of these
  Inflight inflight_;       ///< unacknowledged
  Inflight sent_inflight_;  ///< and sent on this connection
};

}  // namespace sistem
