#pragma once

#include <cstdint>
#include <optional>

#include "common/process/error.hpp"

namespace sistem {

/// How far a session is, and why it is over. Pure.
class Lifecycle {
 public:
  /// `connecting`: there is no connection, or it is not accepted yet, or what was subscribed is not renewed.
  /// `resuming`: what is unacknowledged goes out before anything new. `over`: there is none any more and will be none.
  enum class Phase : std::uint8_t { connecting, resuming, up, lost, over };

  /// Once it is over it stays so.
  void enter(Phase phase) { phase_ = end_ ? Phase::over : phase; }
  /// It is over; the first reason counts.
  void end(const Error& why) {
    end_ = end_.value_or(why);
    phase_ = Phase::over;
  }

  [[nodiscard]] bool is(Phase phase) const { return phase_ == phase; }
  /// Whether the connection stands.
  [[nodiscard]] bool is_up() const { return is(Phase::up) || is(Phase::resuming); }
  [[nodiscard]] bool is_over() const { return is(Phase::over); }
  [[nodiscard]] const std::optional<Error>& why() const { return end_; }

 private:
  Phase phase_ = Phase::connecting;
  std::optional<Error> end_;
};

}  // namespace sistem
