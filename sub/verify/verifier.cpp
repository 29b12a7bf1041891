#include "sub/verify/verifier.hpp"

#include <algorithm>
#include <cmath>

namespace sistem {
namespace {

using namespace std::chrono_literals;

// Linux delays an ACK by 40 ms; what waits for it takes a little longer.
constexpr auto step_begin = 38ms;
constexpr auto step_end = 50ms;
constexpr auto around_step = 12ms;

constexpr std::size_t most_ranges = 10'000;

}  // namespace

void Latencies::record(const Stamp& stamp, const Message& message, std::chrono::nanoseconds ahead) {
  const std::chrono::nanoseconds latency = message.arrival - stamp.sent - ahead;
  from_sent.record(latency);
  sum += static_cast<double>(std::max(latency, 0ns).count());
  before_sent += latency < 0ns ? 1 : 0;
  if (latency >= step_begin && latency < step_end) {
    ++in_step;
  } else if (latency >= step_begin - around_step && latency < step_end + around_step) {
    ++beside_step;
  }
  if (last_) {
    differences += std::abs(static_cast<double>(latency.count()) - static_cast<double>(last_->count()));
    ++pairs;
  }
  last_ = latency;
  judged.record(message.arrival - stamp.due.value_or(stamp.sent) - ahead);
  if (stamp.due) {
    from_due.record(message.arrival - *stamp.due - ahead);
    lateness.record(stamp.sent - *stamp.due);
  }
}

void Latencies::merge(const Latencies& other) {
  from_sent.merge(other.from_sent);
  from_due.merge(other.from_due);
  lateness.merge(other.lateness);
  judged.merge(other.judged);
  sum += other.sum;
  before_sent += other.before_sent;
  in_step += other.in_step;
  beside_step += other.beside_step;
  differences += other.differences;
  pairs += other.pairs;
}

std::chrono::nanoseconds Latencies::mean() const {
  const double count = std::max<double>(static_cast<double>(from_sent.count()), 1);
  return std::chrono::nanoseconds(static_cast<std::int64_t>(sum / count));
}

std::chrono::nanoseconds Latencies::jitter() const {
  const double count = std::max<double>(static_cast<double>(pairs), 1);
  return std::chrono::nanoseconds(static_cast<std::int64_t>(differences / count));
}

bool Latencies::has_steps() const {
  constexpr std::uint64_t at_least = 3;
  return in_step >= at_least && in_step * 100 >= from_sent.count() && beside_step * 3 <= in_step;
}

void Verifier::take(const Message& message) {
  if (const auto end = stamp_end_of(message)) {
    PublisherRun& run = run_of(end->publisher, end->count + 1, end->sent);
    run.series.end(end->count);
    run.announced = end->count;
    run.last_sent = end->sent;
    return;
  }
  if (const auto word = clock_word_of(message)) {
    clocks_[word->publisher] = word->offset;
    return;
  }
  if (is_about_clocks(message)) {
    return;
  }
  const auto stamp = stamp_of(message);
  if (!stamp || stamp->sequence == 0) {
    ++unstamped_;
    return;
  }
  ++taken_;
  PublisherRun& run = run_of(stamp->publisher, stamp->sequence, stamp->sent);
  if (!is_intact(message, *stamp)) {
    ++run.corrupted;
    run.series.end(stamp->sequence);  // so that its number is missing, also where it is the last
    return;
  }
  if (run.series.take(stamp->sequence) == Series::Fate::duplicate) {
    return;
  }
  if (run.series.received() == 1) {
    run.first_arrival = message.arrival_steady;
  }
  run.last_arrival = message.arrival_steady;
  run.last_sent = std::max(run.last_sent, stamp->sent);
  run.bytes += message.payload.size();
  run.latencies.record(*stamp, message, subtracts_ && run.clock ? run.clock->ahead : 0ns);
}

PublisherRun& Verifier::run_of(const std::string& publisher, std::uint64_t number, Stamp::Time sent) {
  const auto place = current_.find(publisher);
  if (place != current_.end()) {
    PublisherRun& run = runs_[place->second];
    // A run numbers in the order of its times: a number that was there already, with a later time, is another run's.
    const bool is_over = run.announced || number <= run.series.highest();
    if (!is_over || sent <= run.last_sent) {
      return run;
    }
  }
  const unsigned number_of_run = place == current_.end() ? 1 : runs_[place->second].run + 1;
  current_[publisher] = runs_.size();
  PublisherRun& run = runs_.emplace_back();
  run.publisher = publisher;
  run.run = number_of_run;
  if (const auto clock = clocks_.find(publisher); clock != clocks_.end()) {
    run.clock = clock->second;
  }
  return run;
}

bool Verifier::has_ended(std::size_t publishers) const {
  const auto ended = [this](const auto& place) { return runs_[place.second].announced.has_value(); };
  return current_.size() >= publishers && std::ranges::all_of(current_, ended);
}

bool Verifier::is_complete() const {
  return std::ranges::all_of(runs_, [](const PublisherRun& run) { return run.series.lost() == 0; });
}

Series::Fate Series::take(std::uint64_t number) {
  if (number > highest_) {
    miss(highest_ + 1, number - 1);
    highest_ = number;
    ++received_;
    return Fate::in_order;
  }
  auto range = missing_.upper_bound(number);
  if (range == missing_.begin() || std::prev(range)->second < number) {
    ++duplicated_;
    return Fate::duplicate;
  }
  --range;
  const auto [first, last] = *range;
  missing_.erase(range);
  if (first < number) {
    missing_.emplace(first, number - 1);
  }
  if (number < last) {
    missing_.emplace(number + 1, last);
  }
  --lost_;
  ++received_;
  ++reordered_;
  furthest_ = std::max(furthest_, highest_ - number);
  return Fate::late;
}

void Series::end(std::uint64_t count) {
  if (count > highest_) {
    miss(highest_ + 1, count);
    highest_ = count;
  }
}

void Series::miss(std::uint64_t first, std::uint64_t last) {
  if (first > last) {
    return;
  }
  missing_.emplace(first, last);
  lost_ += last - first + 1;
  if (missing_.size() > most_ranges) {
    missing_.erase(missing_.begin());
  }
}

std::vector<Series::Range> Series::lost_ranges(std::size_t most) const {
  std::vector<Range> ranges;
  for (auto range = missing_.begin(); range != missing_.end() && ranges.size() < most; ++range) {
    ranges.push_back({range->first, range->second});
  }
  return ranges;
}

}  // namespace sistem
