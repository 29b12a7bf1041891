#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>

#include "common/mqtt/reason.hpp"
#include "common/paho/suspicion.hpp"
#include "common/process/stop.hpp"

namespace sistem {

/// What the losses of a session's connections have in common: a packet that the broker closes each of them for, or
/// another client that takes each of them over. Pure.
class Losses {
 public:
  struct Loss {
    /// The broker has closed it, so long after the last bytes were sent.
    std::optional<Deadline::duration> closed_after;
    std::optional<int> dismissal;  ///< the code of DISCONNECT by which the broker has ended it
    Deadline::duration life{0};
    bool is_anything_open = false;  ///< something that was sent is not answered
  };
  /// A connection was lost.
  [[nodiscard]] Suspicion::Finding examine(const Loss& loss) {
    const bool is_closed = loss.closed_after || loss.dismissal;
    closed_ += is_closed ? 1 : 0;
    short_lives_ = is_closed && loss.life < std::chrono::seconds{1} ? short_lives_ + 1 : 0;
    const auto finding =
        suspicion_.lost(end_of(loss), loss.closed_after.value_or(Deadline::duration::zero()), loss.is_anything_open);
    if (finding != Suspicion::Finding::nothing) {
      short_lives_ = 0;
    }
    return finding;
  }

  /// Whether several in a row did not live for a second: another client with the same id may take each of them over.
  /// It is told once.
  [[nodiscard]] bool hint_at_another_client() {
    return short_lives_ == short_lives_in_a_row && !std::exchange(has_hinted_, true);
  }

  /// There was no broker for a while: what it did before says nothing any more.
  void broker_was_away() {
    suspicion_.broker_was_away();
    short_lives_ = 0;
  }

  /// How many connections the broker has ended.
  [[nodiscard]] std::size_t closed() const { return closed_; }

  [[nodiscard]] Suspicion& suspicion() { return suspicion_; }
  [[nodiscard]] const Suspicion& suspicion() const { return suspicion_; }

 private:
  static constexpr int short_lives_in_a_row = 3;

  [[nodiscard]] static Suspicion::End end_of(const Loss& loss) {
    if (loss.dismissal && !says_no_reason(*loss.dismissal)) {
      return refuses_what_was_sent(*loss.dismissal) ? Suspicion::End::refused_by_broker
                                                    : Suspicion::End::by_something_else;
    }
    return loss.closed_after || loss.dismissal ? Suspicion::End::closed_by_broker : Suspicion::End::by_something_else;
  }

  Suspicion suspicion_;
  std::size_t closed_ = 0;
  int short_lives_ = 0;
  bool has_hinted_ = false;
};

}  // namespace sistem
