#include "pub/pace/pacer.hpp"

#include <sys/prctl.h>

#include <algorithm>
#include <utility>

namespace sistem {
namespace {

using std::chrono::nanoseconds;

/// What is late by less than this is made up for, also where the slots lie closer: a machine that does something else
/// for a moment is no reason to leave messages out. It shows in the lateness.
constexpr nanoseconds made_up_for = std::chrono::milliseconds(20);

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

/// A slot that is late by more than the time between it and its neighbour.
bool Pacer::is_late(nanoseconds late, nanoseconds spacing) const {
  return late > made_up_for && late > std::chrono::round<nanoseconds>(spacing / pace_.speed.factor);
}

/// Where slots are made up for, each one after a pause is late by what is left of it: only what is added counts.
void Pacer::note_if_late(Deadline due, nanoseconds spacing, Deadline now, const Waits& waits) {
  const nanoseconds late = now - due;
  if (is_late(late - noted_, spacing)) {
    fall_behind(late - noted_, waits);
  } else if (late > noted_) {
    return;  // until it is worth a word, together with what it has waited for
  }
  noted_ = std::max(late, nanoseconds(0));
  waits_before_ = waits;
}

/// Moves the schedule where a slot is late.
void Pacer::move_if_late(Deadline due, nanoseconds spacing, Deadline now, const Waits& waits) {
  const nanoseconds late = now - due;
  if (is_late(late, spacing)) {
    fall_behind(late, waits);
    moved_ += late;
  }
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
  if (is_new && missed_ == Missed::move_the_rest && !pace_.speed.at_most) {
    move_if_late(slot.due, schedule_->spacing(slot_), now, waits);
  } else if (is_new && missed_ == Missed::are_made_up_for && !pace_.speed.at_most) {
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
  const nanoseconds gap = due - before.value_or(due);
  if (pace_.speed.at_most) {
    return slot;
  }
  if (missed_ == Missed::are_made_up_for) {
    note_if_late(slot.due, gap, now, waits);
  } else {
    move_if_late(slot.due, gap, now, waits);
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

}  // namespace sistem
