#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <random>
#include <stop_token>

#include "common/process/stop.hpp"
#include "common/text/random.hpp"

namespace sistem {

/// Attempts at something that may succeed later, until a limit of time, at which the last one is made. The first wait
/// is of 0.1 s, each further one twice as long, up to the longest; all with jitter, so that a restarted broker does not
/// meet all its clients at the same moment.
class Retry {
 public:
  using Seconds = std::chrono::duration<double>;

  Retry(const std::optional<Seconds>& limit, Seconds longest, Deadline now = std::chrono::steady_clock::now())
      : limit_(limit), longest_(longest) {
    renew_limit(now);
  }

  /// The limit counts from that moment on; the waits go on growing.
  void renew_limit(Deadline now) { last_attempt_ = limit_ ? after(now, *limit_) : never; }

  /// The next wait is as short as the first.
  void reset_delay() { delay_ = shortest; }

  /// When the next attempt is due; nothing if the last one was made.
  [[nodiscard]] std::optional<Deadline> next(Deadline now) {
    return now < last_attempt_ ? std::optional(std::min(after(now, next_delay()), last_attempt_)) : std::nullopt;
  }

  /// Until when an attempt may take: one that is made at the limit, or has begun shortly before it, gets a moment to
  /// succeed in.
  [[nodiscard]] Deadline attempt_limit() const {
    return last_attempt_ == never ? never : after(last_attempt_, std::clamp(*limit_ / 10, Seconds{0.1}, Seconds{1}));
  }

  /// Sleeps until the next attempt is due. False if there is none any more, a stop was requested, or that other moment
  /// came first.
  [[nodiscard]] bool wait(const std::stop_token& stop, Deadline at_most = never) {
    const auto due = next(std::chrono::steady_clock::now());
    return due && sleep_until(std::min(*due, at_most), stop) && *due <= at_most;
  }

 private:
  static constexpr Seconds shortest{0.1};

  [[nodiscard]] Seconds next_delay() {
    const Seconds jittered = std::min(delay_, longest_) * std::uniform_real_distribution{0.5, 1.0}(random_);
    delay_ = std::min(delay_ * 2, longest_);
    return jittered;
  }

  [[nodiscard]] static Deadline after(Deadline now, Seconds delay) {
    constexpr Seconds a_century = std::chrono::hours(100 * 365 * 24);
    return now + std::chrono::duration_cast<Deadline::duration>(std::min(delay, a_century));
  }

  std::optional<Seconds> limit_;
  Seconds longest_;
  Deadline last_attempt_ = never;
  Seconds delay_ = shortest;
  std::minstd_rand random_{random_seed()};
};

}  // namespace sistem
