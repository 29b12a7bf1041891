#pragma once

#include <chrono>
#include <cstddef>
#include <fstream>
#include <stop_token>

#include "common/mqtt/message.hpp"
#include "common/process/console.hpp"
#include "common/process/error.hpp"
#include "common/process/output.hpp"
#include "common/process/stop.hpp"
#include "common/session.hpp"
#include "sub/verify/verdict.hpp"
#include "sub/verify/verifier.hpp"

namespace sistem {

/// Whether a message is not one of those that are verified, but about them: how many there were, how clocks stand.
[[nodiscard]] bool is_aside(const Message& message);

/// --verify: what is done with the messages of a run instead of printing them.
class Verification {
 public:
  /// Throws Error (failure) where the report's file cannot be written.
  Verification(const VerifyConfig& config, const Console& console);

  /// Takes a message into account, or answers it where it asks how our clock stands.
  void take(const Message& message, Session& session, const std::stop_token& stop);

  /// Whether all have ended, and nothing is missing.
  [[nodiscard]] bool is_over() const { return has_ended() && verifier_.is_complete(); }
  /// Whether all have ended: what is still missing has little time left to come.
  [[nodiscard]] bool has_ended() const { return verifier_.has_ended(config_.publishers); }
  [[nodiscard]] bool has_any() const { return verifier_.taken() > 0; }

  /// When refresh() is to be called next, which shows a person how far it has come; it also looks how much is waiting.
  [[nodiscard]] Deadline due() const { return due_; }
  void refresh(std::size_t waiting);

  /// Writes the report, and throws Error (failure) where it cannot. True where all budgets were kept; else it says on
  /// stderr which was not.
  [[nodiscard]] bool report(const Session& session, Output& output);

 private:
  const VerifyConfig& config_;
  const Console& console_;
  Verifier verifier_;
  std::ofstream file_;  ///< of the report, where it has one
  std::size_t greatest_queue_ = 0;
  double busy_ = 0;                                  ///< the most of a processor that was used in one interval,
  std::chrono::steady_clock::time_point looked_at_;  ///< which began then,
  std::chrono::nanoseconds processor_time_;          ///< with so much used before
  Deadline due_;
};

}  // namespace sistem
