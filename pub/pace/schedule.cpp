#include "pub/pace/schedule.hpp"

#include <algorithm>
#include <cmath>

#include "common/text/random.hpp"

namespace sistem {
namespace {

constexpr long double nanoseconds_in_a_second = 1e9L;

/// A number in [0, 1). Not of a generator that is drawn from in turn: then a slot's jitter would depend on whether the
/// ones before it were skipped.
double drawn(std::uint64_t seed, std::uint64_t number) {
  return static_cast<double>(random_bits(seed, number) >> 11U) * 0x1p-53;
}

}  // namespace

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
