#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "common/process/stop.hpp"

namespace sistem {

/// Whether the broker is alive: it is if it answers. One that has answered nothing for the keep alive is sent a
/// PINGREQ, though other packets are sent all the time: what the system takes may be read by no one. Pure: the time is
/// given by the caller.
class Pulse {
 public:
  explicit Pulse(Deadline now) : last_sent_(now), alive_(now) {}

  /// The connection is given up if the broker has answered nothing for one and a half times that long, and then no
  /// PINGREQ for that long. 0: never, as at the beginning.
  void keep_alive(std::chrono::seconds interval) { keep_alive_ = interval; }

  /// The channel has taken so many bytes.
  void sent(std::uint64_t bytes, Deadline now) {
    sent_bytes_ += bytes;
    last_sent_ = now;
    went_since_asked_ = true;
  }
  /// A whole PINGREQ was among them.
  void pinged();
  /// PINGRESP has come.
  void answered_ping() { pinged_.reset(); }
  /// The broker has sent a packet that answers something.
  void answered(Deadline when) { alive_ = when; }
  /// A packet that comes in several parts has begun.
  void begun(Deadline when) { begun_ = when; }

  /// Whether anything was sent since this was asked the last time.
  [[nodiscard]] bool went_since_asked() { return std::exchange(went_since_asked_, false); }
  [[nodiscard]] Deadline last_sent() const { return last_sent_; }
  [[nodiscard]] std::uint64_t sent_bytes() const { return sent_bytes_; }
  /// Whether a PINGREQ was sent that has no answer.
  [[nodiscard]] bool awaits_answer() const { return pinged_.has_value(); }
  /// "no answer to a ping for 5 s"; empty if none is awaited.
  [[nodiscard]] std::string words_on_ping(Deadline now) const;

  struct Facts {
    Deadline now;
    Deadline last_arrival;      ///< of bytes
    bool reads = true;          ///< what the broker answers would be seen
    bool has_unsent = false;    ///< something waits for room in the socket
    bool is_in_packet = false;  ///< the packet that comes is not all there
    /// How many of the bytes that were sent wait in this system.
    std::function<std::uint64_t()> queued = [] { return std::uint64_t{0}; };
  };
  enum class Act : std::uint8_t { nothing, ping, give_up };
  struct Finding {
    Act act = Act::nothing;
    std::string why = {};  ///< it is given up
  };
  /// What is to be done now.
  [[nodiscard]] Finding examine(const Facts& facts);

 private:
  [[nodiscard]] Finding examine_ping(const Facts& facts);

  std::chrono::seconds keep_alive_{0};
  std::uint64_t sent_bytes_ = 0;
  Deadline last_sent_;
  bool went_since_asked_ = false;
  Deadline alive_;                        ///< the broker has answered something
  std::optional<Deadline> pinged_;        ///< when, if no answer has come
  std::uint64_t pinged_bytes_ = 0;        ///< the PINGREQ ended there among the bytes sent
  std::uint64_t acknowledged_bytes_ = 0;  ///< the broker's system had so many of them
  Deadline moved_{};                      ///< when that became more
  Deadline begun_{};                      ///< of the last packet that came in parts
};

}  // namespace sistem
