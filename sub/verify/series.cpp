#include "sub/verify/series.hpp"

#include <algorithm>

namespace sistem {
namespace {

constexpr std::size_t most_ranges = 10'000;

}  // namespace

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
