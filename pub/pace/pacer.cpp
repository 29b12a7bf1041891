#include "pub/pace/pacer.hpp"

#include <sys/prctl.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/text/random.hpp"

namespace sistem {
namespace {

using std::chrono::nanoseconds;

/// What is late by less than this is made up for, also where the slots lie closer: a machine that does something else
/// for a moment is no reason to leave messages out. It shows in the lateness.
constexpr nanoseconds made_up_for = std::chrono::milliseconds(20);

constexpr long double nanoseconds_in_a_second = 1e9L;

/// A number in [0, 1). Not of a generator that is drawn from in turn: then a slot's jitter would depend on whether the
/// ones before it were skipped.
double drawn(std::uint64_t seed, std::uint64_t number) {
  return static_cast<double>(random_bits(seed, number) >> 11U) * 0x1p-53;
}

}  // namespace

Pacer::Pacer(const Pace& pace, std::uint64_t seed, Missed missed) : pace_(pace), missed_(missed) {
  if (pace.is_given()) {
    schedule_.emplace(pace, seed);
  }
}

void Pacer::start(Deadline now) {
  start_ = now;
  wall_start_ = pace_.clock_start.value_or(std::chrono::system_clock::now());
  if (schedule_) {
    // A sleep may take 50 us longer than it should, so that the kernel can serve several at once: prctl(2).
    ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  }
}

Deadline Pacer::on_worlds_clock(nanoseconds time) const {
  if (pace_.speed.at_most) {
    return start_;
  }
  return start_ + moved_ +
         std::chrono::round<nanoseconds>(std::chrono::duration<double, std::nano>(time) / pace_.speed.factor);
}

Moment Pacer::moment_at(nanoseconds time) const {
  return {time, wall_start_ + std::chrono::duration_cast<std::chrono::system_clock::duration>(time)};
}

Moment Pacer::moment(Deadline now) const {
  return moment_at(std::chrono::round<nanoseconds>((now - start_) * pace_.speed.factor));
}

std::optional<Deadline> Pacer::end() const {
  if (!pace_.duration || pace_.speed.at_most || (schedule_ && missed_ == Missed::are_made_up_for)) {
    return std::nullopt;
  }
  return on_worlds_clock(*pace_.duration) - moved_;
}

bool Pacer::is_over(nanoseconds due, Deadline now) const {
  const auto last = end();
  return (pace_.duration && due >= *pace_.duration) || (last && now >= *last);
}

/// Takes down that slots were missed for so long, and what it was that took the time.
void Pacer::fall_behind(nanoseconds by, const Waits& waits) {
  const nanoseconds broker = std::min(by, waits.broker - waits_before_.broker);
  const nanoseconds source = std::min(by - broker, waits.source - waits_before_.source);
  punctuality_.behind_broker += broker;
  punctuality_.behind_source += source;
  punctuality_.behind_pub += by - broker - source;
}

/// Leaves out the slots before this one, each of which was missed by more than the time to the next.
void Pacer::skip_to(std::uint64_t slot, Deadline now, const Waits& waits) {
  if (slot > slot_) {
    punctuality_.skipped += slot - slot_;
    fall_behind(std::max(now - on_worlds_clock(*schedule_->due(slot_)), nanoseconds(0)), waits);
    slot_ = slot;
  }
}

/// Takes down that a slot is late by more than the time between it and its neighbour, and moves the schedule, unless
/// slots are made up for: there each one after a pause is late by what is left of it, and only what is added counts.
void Pacer::note_if_late(Deadline due, nanoseconds spacing, Deadline now, const Waits& waits) {
  const bool makes_up = missed_ == Missed::are_made_up_for;
  const nanoseconds late = now - due - noted_;
  if (late > made_up_for && late > std::chrono::round<nanoseconds>(spacing / pace_.speed.factor)) {
    fall_behind(late, waits);
    moved_ += makes_up ? nanoseconds(0) : late;
  } else if (makes_up && late > nanoseconds(0)) {
    return;  // until it is worth a word, together with what it has waited for
  }
  noted_ = makes_up ? std::max(now - due, nanoseconds(0)) : nanoseconds(0);
  waits_before_ = waits;
}

std::optional<Pacer::Slot> Pacer::next(Deadline now, const Waits& waits) {
  if (!schedule_) {
    const Moment at_once = moment(now);
    return is_over(at_once.elapsed, now) ? std::nullopt : std::optional(Slot{at_once, now, true, slot_++});
  }
  const bool is_new = in_slot_ == 0;
  if (is_new && missed_ == Missed::are_skipped && !pace_.speed.at_most) {
    const auto last = end();
    if (last && now >= *last) {  // all that is left
      skip_to(schedule_->reached(*pace_.duration - nanoseconds(1)) + 1, now, waits);
    } else if (const auto due = schedule_->due(slot_); due && now - on_worlds_clock(*due) > made_up_for) {
      skip_to(schedule_->reached(moment(now).elapsed), now, waits);
    }
  }
  const auto time = schedule_->due(slot_);
  if (!time || is_over(*time, now)) {
    return std::nullopt;
  }
  const Slot slot{moment_at(*time), on_worlds_clock(*time), is_new, slot_};
  if (is_new && missed_ != Missed::are_skipped && !pace_.speed.at_most) {
    note_if_late(slot.due, schedule_->spacing(slot_), now, waits);
  } else if (missed_ != Missed::are_made_up_for) {
    waits_before_ = waits;
  }
  if (++in_slot_ >= pace_.burst) {
    in_slot_ = 0;
    ++slot_;
  }
  return slot;
}

std::optional<Pacer::Slot> Pacer::next_at(nanoseconds due, Deadline now, const Waits& waits) {
  if (is_over(due, now)) {
    return std::nullopt;
  }
  const auto before = std::exchange(due_before_, due);
  const Slot slot{moment_at(due), on_worlds_clock(due), before != due, slot_++};
  if (!pace_.speed.at_most) {
    note_if_late(slot.due, due - before.value_or(due), now, waits);
  }
  return slot;
}

void Pacer::begin(const Slot& slot, Deadline now) {
  if (!slot.is_new || pace_.speed.at_most || (!schedule_ && !due_before_)) {
    return;
  }
  punctuality_.lateness.record(now - slot.due);
  if (schedule_ && slot.number > 0) {
    const std::chrono::duration<double> time = *schedule_->even_due(slot.number) / pace_.speed.factor;
    punctuality_.asked = static_cast<double>(slot.number) / time.count();
  }
}

std::optional<Deadline> Pacer::wait(const Slot& slot, Deadline now, const std::stop_token& stop) {
  if (slot.due > now ? !sleep_until(slot.due, stop) : stop.stop_requested()) {
    return std::nullopt;
  }
  const auto begun = slot.due > now ? std::chrono::steady_clock::now() : now;
  begin(slot, begun);
  return begun;
}

Schedule::Schedule(const Pace& pace, std::uint64_t seed)
    : from_(0), to_(0), over_(0), jitter_(pace.jitter), seed_(seed) {
  const auto burst = static_cast<long double>(pace.burst);
  if (pace.ramp) {
    from_ = pace.ramp->from / burst;
    to_ = pace.ramp->to / burst;
    over_ = pace.ramp->over.count();
  } else {
    from_ = to_ = pace.interval ? 1 / static_cast<long double>(pace.interval->count()) : *pace.rate / burst;
  }
}

/// Slot n is due when the integral of the rate reaches n. While the rate changes that is from t + (to - from) t² / 2
/// over; solved for t in the form that also holds where the rate hardly changes, or begins at 0.
std::optional<Schedule::Time> Schedule::even_due(std::uint64_t slot) const {
  const auto number = static_cast<long double>(slot);
  const long double in_ramp = (from_ + to_) / 2 * over_;
  long double seconds = 0;
  if (slot == 0) {
    return Time(0);
  }
  if (number <= in_ramp) {
    const long double square = from_ * from_ + 2 * (to_ - from_) / over_ * number;
    seconds = 2 * number / (from_ + std::sqrt(std::max(square, 0.0L)));
  } else if (to_ > 0) {
    seconds = over_ + (number - in_ramp) / to_;
  } else {
    return std::nullopt;
  }
  const long double time = seconds * nanoseconds_in_a_second;
  return time < static_cast<long double>(Time::max().count()) ? std::optional(Time(std::llround(time))) : std::nullopt;
}

Schedule::Time Schedule::spacing(std::uint64_t slot) const {
  const auto one = even_due(slot);
  const auto next = even_due(slot + 1);
  return one && next ? *next - *one : Time(0);
}

std::optional<Schedule::Time> Schedule::due(std::uint64_t slot) const {
  const auto time = even_due(slot);
  if (!time || jitter_ == 0) {
    return time;
  }
  return *time + Time(std::llround(static_cast<double>(spacing(slot).count()) * jitter_ * drawn(seed_, slot)));
}

std::uint64_t Schedule::reached(Time time) const {
  const long double seconds = static_cast<long double>(std::max(time.count(), Time::rep{0})) / nanoseconds_in_a_second;
  const long double ramped = std::min(seconds, over_);
  const long double number =
      from_ * ramped + (over_ > 0 ? (to_ - from_) * ramped * ramped / (2 * over_) : 0) + to_ * (seconds - ramped);
  // One that rounding or jitter has put on the other side.
  auto slot = static_cast<std::uint64_t>(number) + 1;
  while (slot > 0) {
    const auto when = due(slot);
    if (when && *when <= time) {
      break;
    }
    --slot;
  }
  return slot;
}

}  // namespace sistem
