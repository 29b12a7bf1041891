#include "common/measure/histogram.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <numeric>

namespace sistem {
namespace {

/// A power of two is cut into 2^7 parts: each is less than 0.8 % wide, and its middle at most 0.4 % away.
constexpr unsigned bits = 7;
constexpr std::uint64_t parts = std::uint64_t{1} << bits;

/// The parts of all powers of two in one row. Below 2^8 each number has a part of its own.
constexpr std::size_t part_of(std::uint64_t value) {
  if (value < parts) {
    return value;
  }
  const auto shift = static_cast<unsigned>(std::bit_width(value)) - bits - 1;
  return shift * parts + (value >> shift);
}

/// The middle of a part.
std::uint64_t middle_of(std::size_t part) {
  if (part < 2 * parts) {
    return part;
  }
  const std::size_t shift = part / parts - 1;
  return ((part - shift * parts) << shift) + (std::uint64_t{1} << shift) / 2;
}

/// The last part that there is.
constexpr std::size_t last_part = part_of(INT64_MAX);

/// Takes a number and the separator after it off the front of `text`; nothing where there is none.
std::optional<std::uint64_t> take_until(std::string_view& text, char separator) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (error != std::errc{} || !text.starts_with(separator)) {
    return std::nullopt;
  }
  text.remove_prefix(1);
  return number;
}

}  // namespace

void Histogram::record(std::chrono::nanoseconds value) {
  const auto count = std::max<std::int64_t>(value.count(), 0);
  const std::size_t part = part_of(static_cast<std::uint64_t>(count));
  if (part >= counts_.size()) {
    counts_.resize(part + 1);
  }
  ++counts_[part];
  ++count_;
  least_ = std::min(least_, count);
  greatest_ = std::max(greatest_, count);
}

void Histogram::merge(const Histogram& other) {
  counts_.resize(std::max(counts_.size(), other.counts_.size()));
  for (std::size_t part = 0; part < other.counts_.size(); ++part) {
    counts_[part] += other.counts_[part];
  }
  count_ += other.count_;
  least_ = std::min(least_, other.least_);
  greatest_ = std::max(greatest_, other.greatest_);
}

std::chrono::nanoseconds Histogram::percentile(double percent) const {
  const double rank = std::ceil(percent / 100 * static_cast<double>(count_));
  const auto wanted = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(std::max(rank, 0.0)), 1, count_ + 1);
  if (wanted <= 1) {
    return least();
  }
  if (wanted >= count_) {
    return greatest();
  }
  std::uint64_t sum = 0;
  for (std::size_t part = 0; part < counts_.size(); ++part) {
    sum += counts_[part];
    if (sum >= wanted) {
      return std::chrono::nanoseconds(std::clamp(static_cast<std::int64_t>(middle_of(part)), least_, greatest_));
    }
  }
  return greatest();
}

std::uint64_t Histogram::count_up_to(std::chrono::nanoseconds value) const {
  const auto end =
      std::min(part_of(static_cast<std::uint64_t>(std::max<std::int64_t>(value.count(), 0))) + 1, counts_.size());
  return std::accumulate(counts_.begin(), counts_.begin() + static_cast<std::ptrdiff_t>(end), std::uint64_t{0});
}

std::string Histogram::to_text() const {
  std::string text = fmt::format("{}:{};", count_ == 0 ? 0 : least_, greatest_);
  for (std::size_t part = 0; part < counts_.size(); ++part) {
    if (counts_[part] > 0) {
      text += fmt::format("{}:{},", part, counts_[part]);
    }
  }
  return text;
}

std::optional<Histogram> Histogram::from_text(std::string_view text) {
  Histogram histogram;
  const auto least = take_until(text, ':');
  const auto greatest = least ? take_until(text, ';') : std::nullopt;
  if (!greatest || *greatest > INT64_MAX || *least > *greatest) {
    return std::nullopt;
  }
  while (!text.empty()) {
    const auto part = take_until(text, ':');
    const auto count = part ? take_until(text, ',') : std::nullopt;
    if (!count || *part > last_part) {
      return std::nullopt;
    }
    histogram.counts_.resize(std::max<std::size_t>(histogram.counts_.size(), *part + 1));
    histogram.counts_[*part] += *count;
    histogram.count_ += *count;
  }
  if (histogram.count_ > 0) {
    histogram.least_ = static_cast<std::int64_t>(*least);
    histogram.greatest_ = static_cast<std::int64_t>(*greatest);
  }
  return histogram;
}

}  // namespace sistem
