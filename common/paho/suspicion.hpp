#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace sistem {

/// Finds the packet that a broker closes the connection for, which is how MQTT 3.1.1 lets it refuse one. A loss counts
/// if the broker has closed the connection within moments of a packet that it must acknowledge, and without one
/// acknowledgement since. At the second such loss in a row that packet is to be sent alone; if the third one follows,
/// that packet is the reason. After two losses in a row with anything unacknowledged, packets are sent alone as well:
/// the broker may have acknowledged some of those before the one that it refuses, and they must not be sent again and
/// again. Knows nothing of threads, clocks or networks.
class Suspicion {
 public:
  /// A message by its number, or one of these.
  using Suspect = std::uint64_t;
  static constexpr Suspect subscribe = UINT64_MAX;
  static constexpr Suspect unsubscribe = UINT64_MAX - 1;

  /// Who has ended a connection.
  enum class End : std::uint8_t {
    closed_by_broker,   ///< without a reason, or with one that says nothing
    refused_by_broker,  ///< DISCONNECT says that it does not accept what was sent
    by_something_else,  ///< the network, this side, or a broker that names another reason
  };

  enum class Finding : std::uint8_t { nothing, guilty, guilty_among_others };

  /// A packet is about to be sent that the broker must acknowledge. `alone`: everything sent before it is acknowledged.
  void sent(Suspect suspect, bool alone) {
    if (alone || !awaited_) {
      awaited_ = suspect;
    }
    alone_ = alone;
  }

  /// The broker has acknowledged something, or what was sent has not left.
  void acknowledged() { awaited_.reset(); }

  /// A connection was lost; `after`: this long after the last bytes were sent on it; `open`: something is
  /// unacknowledged.
  [[nodiscard]] Finding lost(End end, std::chrono::steady_clock::duration after, bool open) {
    const auto suspect = std::exchange(awaited_, std::nullopt);
    const bool may_be_refusal = end != End::by_something_else && after <= moments;
    open_losses_ = may_be_refusal && open ? open_losses_ + 1 : 0;
    is_careful_ = is_careful_ || open_losses_ >= enough - 1;
    if (!suspect || !may_be_refusal) {
      losses_ = 0;
      return Finding::nothing;
    }
    losses_ = losses_ > 0 && suspect_ == *suspect ? losses_ + 1 : 1;
    suspect_ = *suspect;
    if (end == End::refused_by_broker) {
      losses_ = std::max(losses_, alone_ ? enough : enough - 1);
      is_careful_ = true;
    }
    if (losses_ < (alone_ ? enough : enough_among_others)) {
      return Finding::nothing;
    }
    losses_ = 0;
    return alone_ ? Finding::guilty : Finding::guilty_among_others;
  }

  /// There was no broker for a while: what it did before says nothing any more.
  void broker_was_away() { losses_ = open_losses_ = 0; }

  /// The packet that the next loss may convict.
  [[nodiscard]] std::optional<Suspect> suspect() const {
    return losses_ >= enough - 1 ? std::optional(suspect_) : std::nullopt;
  }
  [[nodiscard]] Suspect last_suspect() const { return suspect_; }

  /// Whether messages are to be sent one at a time, each when the one before is acknowledged: until all_acknowledged(),
  /// since another of them may be refused as well.
  [[nodiscard]] bool is_careful() const { return is_careful_; }
  void all_acknowledged() { is_careful_ = false; }

 private:
  /// An acknowledgement that takes longer says that the broker has taken the packet and works on it.
  static constexpr std::chrono::seconds moments{2};
  static constexpr int enough = 3;
  /// If several packets must be sent together: a session that is kept goes on with all that was under way.
  static constexpr int enough_among_others = 5;

  std::optional<Suspect> awaited_;  ///< the first packet sent since the last acknowledgement
  bool alone_ = false;              ///< and nothing was sent beside it
  Suspect suspect_ = 0;
  int losses_ = 0;       ///< in a row with this suspect
  int open_losses_ = 0;  ///< in a row with anything unacknowledged
  bool is_careful_ = false;
};

}  // namespace sistem
