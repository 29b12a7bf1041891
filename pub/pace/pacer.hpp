#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <thread>

#include "common/measure/histogram.hpp"
#include "common/process/stop.hpp"
#include "common/process/thread.hpp"
#include "pub/pace/pace.hpp"

namespace sistem {

/// When each slot of a run is due: the times at which a message, or a burst of them, goes out. Pure: a slot's time
/// depends on its number, the pace and the seed, and never on another slot, so that no error adds up.
class Schedule {
 public:
  using Time = std::chrono::nanoseconds;  ///< of the run's own clock, since its start

  /// Of a pace that is given: by a rate, an interval or a ramp.
  Schedule(const Pace& pace, std::uint64_t seed);

  /// When that slot is due, the first of which is 0; nothing: never, since the rate has fallen to 0 for good.
  [[nodiscard]] std::optional<Time> due(std::uint64_t slot) const;
  /// The same without jitter.
  [[nodiscard]] std::optional<Time> even_due(std::uint64_t slot) const;

  /// The last slot that is due by then; at least 0.
  [[nodiscard]] std::uint64_t reached(Time time) const;

  /// How long after that slot the next one is due, without jitter.
  [[nodiscard]] Time spacing(std::uint64_t slot) const;

 private:
  long double from_;  ///< the rate at the start, in slots a second
  long double to_;    ///< and after
  long double over_;  ///< so many seconds
  double jitter_;
  std::uint64_t seed_;
};

/// What becomes of slots that were missed. The first two ways send nothing of it in a burst.
enum class Missed {
  are_skipped,    ///< the schedule goes on where the clock is: for a run without a count
  move_the_rest,  ///< all that comes is so much later: for messages none of which may be left out
  /// They are sent at once, and are as late as that: for a measurement, which would else leave out what was slow. A run
  /// goes on until all slots of its time were sent.
  are_made_up_for
};

/// What a run has waited for so far that is not its pace.
struct Waits {
  std::chrono::nanoseconds broker{0};  ///< for room among what it has not acknowledged
  std::chrono::nanoseconds source{0};  ///< for stdin
};

/// How well the pace was kept.
struct Punctuality {
  Histogram lateness;         ///< of each slot
  std::uint64_t skipped = 0;  ///< slots
  /// The time by which slots were missed, skipped, moved or sent late, and what it went to.
  std::chrono::nanoseconds behind_broker{0};
  std::chrono::nanoseconds behind_source{0};
  std::chrono::nanoseconds behind_pub{0};
  std::optional<double> asked;  ///< slots a second of the world's time, on average from the first to the last
};

/// When each message of a run is due: on an absolute schedule, so that what a message costs does not add up.
class Pacer {
 public:
  Pacer(const Pace& pace, std::uint64_t seed, Missed missed);

  /// When the next message is due.
  struct Slot {
    Moment moment;  ///< on the run's clock, which is that of the schedule
    Deadline due;   ///< on the world's; not after now: at once
    bool is_new;    ///< false for what goes out together with the message before
    std::uint64_t number;
  };

  /// The run starts now. To be called before the others.
  void start(Deadline now);

  /// The next message's slot, as seen from `now`; nothing where the run's time is over, or the rate has fallen to 0.
  [[nodiscard]] std::optional<Slot> next(Deadline now, const Waits& waits = {});

  /// The same for messages that their source wants published at `due` of the run's clock.
  [[nodiscard]] std::optional<Slot> next_at(std::chrono::nanoseconds due, Deadline now, const Waits& waits = {});

  /// That slot's message goes out now.
  void begin(const Slot& slot, Deadline now);

  /// Waits from `now` until the slot is due and begins it: when that was; nothing where a stop was requested.
  [[nodiscard]] std::optional<Deadline> wait(const Slot& slot, Deadline now, const std::stop_token& stop);

  /// Where the run's clock is.
  [[nodiscard]] Moment moment(Deadline now) const;

  /// When the run's time is over; nothing: it has no limit, nobody waits for it, or all slots are sent.
  [[nodiscard]] std::optional<Deadline> end() const;

  [[nodiscard]] const Punctuality& punctuality() const { return punctuality_; }

 private:
  [[nodiscard]] Deadline on_worlds_clock(std::chrono::nanoseconds time) const;
  [[nodiscard]] Moment moment_at(std::chrono::nanoseconds time) const;
  [[nodiscard]] bool is_over(std::chrono::nanoseconds due, Deadline now) const;
  void skip_to(std::uint64_t slot, Deadline now, const Waits& waits);
  void note_if_late(Deadline due, std::chrono::nanoseconds spacing, Deadline now, const Waits& waits);
  void fall_behind(std::chrono::nanoseconds by, const Waits& waits);

  Pace pace_;
  std::optional<Schedule> schedule_;
  Missed missed_;
  Deadline start_{};
  std::chrono::system_clock::time_point wall_start_{};
  std::chrono::nanoseconds moved_{0};  ///< by which the schedule is later than it was, on the world's clock
  std::uint64_t slot_ = 0;             ///< of the next message,
  std::uint64_t in_slot_ = 0;          ///< the place that it has in its burst
  std::optional<std::chrono::nanoseconds> due_before_;  ///< of the message before, where the source says it
  std::chrono::nanoseconds noted_{0};  ///< so late is the run, of what is taken down, where slots are made up for
  Waits waits_before_;
  Punctuality punctuality_;
};

/// A stop that is also requested when the run's time is over.
class TimeLimit {
 public:
  TimeLimit(const std::stop_token& stop, std::optional<Deadline> end)
      : pass_on_(stop, [this] { over_.request_stop(); }) {
    if (end) {
      timer_ = start_thread<std::jthread>([this, end](const std::stop_token& cancelled) {
        if (sleep_until(*end, cancelled)) {
          over_.request_stop();
        }
      });
    }
  }

  [[nodiscard]] std::stop_token token() const { return over_.get_token(); }

 private:
  std::stop_source over_;
  std::stop_callback<std::function<void()>> pass_on_;
  std::jthread timer_;
};

}  // namespace sistem
