#pragma once

#include <cerrno>
#include <optional>
#include <string>

#include "common/paho/gate.hpp"
#include "common/process/error.hpp"

namespace sistem {

/// How a connection has ended. Pure.
class Ending {
 public:
  /// Nothing more comes: for an errno, or 0 if the peer has closed the connection. The first counts.
  void come(int error) { error_ = error_.value_or(error); }
  /// The MQTT library closes it. If it stood until then it is given up.
  void by_library() { is_given_up_ = !error_; }
  void for_violation(const Violation& violation) {
    violation_ = violation;
    come(EPROTO);
  }
  /// `why` the broker is given up, which says nothing any more.
  void for_silence(std::string why) {
    silence_ = std::move(why);
    come(ETIMEDOUT);
  }

  [[nodiscard]] bool has_come() const { return error_.has_value(); }
  [[nodiscard]] bool is_by_peer() const { return error_ && !is_given_up_; }
  /// The peer has closed the connection, or this system says that it did.
  [[nodiscard]] bool is_closed_by_peer() const {
    return is_by_peer() && !violation_ && (*error_ == 0 || *error_ == ECONNRESET || *error_ == EPIPE);
  }
  [[nodiscard]] const std::optional<Violation>& violation() const { return violation_; }
  /// What was wrong with the peer's bytes, or its silence.
  [[nodiscard]] std::optional<std::string> fault() const {
    return violation_ ? std::optional<std::string>(violation_->what()) : silence_;
  }
  /// Why it has ended, in a few words. `no_answer`: those on an answer to PINGREQ that is missing; empty if none is.
  [[nodiscard]] std::string words(const std::string& no_answer) const {
    if (is_given_up_) {
      return no_answer.empty() ? "given up by the MQTT library" : no_answer;
    }
    return error_.value_or(0) == 0 ? "closed by the broker" : errno_words(*error_);
  }

 private:
  std::optional<int> error_;
  bool is_given_up_ = false;
  std::optional<Violation> violation_;
  std::optional<std::string> silence_;
};

}  // namespace sistem
