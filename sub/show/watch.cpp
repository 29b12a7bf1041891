#include "sub/show/watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/text/screen_text.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

/// More of a value no line shows.
constexpr std::size_t longest_value = 1000;

std::int64_t second_of(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

std::string rate_text(double per_second) {
  return per_second <= 0   ? ""
         : per_second < 10 ? fmt::format("{:.1f}/s", per_second)
                           : fmt::format("{:.0f}/s", per_second);
}

std::string age_text(WallTime::duration age) {
  const double seconds = std::max(0.0, std::chrono::duration<double>(age).count());
  if (seconds < 10) {
    return fmt::format("{:.1f} s", seconds);
  }
  const auto [length, unit] = seconds < 60      ? std::pair(1, "s")
                              : seconds < 3600  ? std::pair(60, "min")
                              : seconds < 86400 ? std::pair(3600, "h")
                                                : std::pair(86400, "d");
  return fmt::format("{:.0f} {}", std::floor(seconds / length), unit);
}

}  // namespace

void RecentRate::count(WallTime time) {
  const std::int64_t second = second_of(time);
  const auto size = static_cast<std::int64_t>(counts_.size());
  if (first_ == 0) {
    first_ = last_ = second;
  }
  for (std::int64_t at = std::max(last_ + 1, second - size + 1); at <= second; ++at) {
    counts_[static_cast<std::size_t>(at % size)] = 0;
  }
  last_ = std::max(last_, second);
  if (second > last_ - size) {  // a clock that was set back has no older ones
    ++counts_[static_cast<std::size_t>(second % size)];
  }
}

double RecentRate::per_second(WallTime now) const {
  const std::int64_t end = second_of(now);  // which is not over, and does not count yet
  const std::int64_t begin = std::max(first_, end - window);
  if (first_ == 0 || begin >= end) {
    return 0;
  }
  std::uint64_t sum = 0;
  const auto size = static_cast<std::int64_t>(counts_.size());
  for (std::int64_t second = std::max(begin, last_ - size + 1); second < std::min(end, last_ + 1); ++second) {
    sum += counts_[static_cast<std::size_t>(second % size)];
  }
  return static_cast<double>(sum) / static_cast<double>(end - begin);
}

void Watch::take(const Message& message, std::string value) {
  Row& row = rows_[message.topic];
  value.resize(std::min(value.size(), longest_value));
  row.value = std::move(value);
  row.last = message.arrival;
  row.retained = message.retain;
  row.changed = true;
  ++row.count;
  ++messages_;
  if (!message.retain) {  // which was published at some other time
    row.rate.count(message.arrival);
  }
  if (rows_.size() > most_topics) {
    forget_the_oldest();
  }
}

/// A tenth at once, so that a broker with many more topics does not cost a search for each message.
void Watch::forget_the_oldest() {
  const std::vector<const Rows::value_type*> kept = latest(most_topics / 10 * 9);
  forgotten_ += rows_.size() - kept.size();
  Rows rows;
  for (const auto* row : kept) {
    rows.insert(rows_.extract(row->first));
  }
  rows_ = std::move(rows);
}

/// So many of the topics, those that changed last, in the order of their names.
std::vector<const Watch::Rows::value_type*> Watch::latest(std::size_t count) const {
  std::vector<const Rows::value_type*> all;
  all.reserve(rows_.size());
  for (const auto& row : rows_) {
    all.push_back(&row);
  }
  if (all.size() > count) {
    const auto by_age = [](const auto* one, const auto* other) { return one->second.last > other->second.last; };
    std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count), all.end(), by_age);
    all.resize(count);
    std::sort(all.begin(), all.end(), [](const auto* one, const auto* other) { return one->first < other->first; });
  }
  return all;
}

std::vector<std::string> Watch::frame(TerminalSize size, const Paint& paint, WallTime now) const {
  constexpr std::size_t around = 4;  // an empty line, the heading, another empty line and the sums
  constexpr std::size_t gap = 2;
  const std::size_t room = size.rows > around + 1 ? size.rows - around : 1;  // for topics
  const bool all_fit = rows_.size() <= room;
  const auto rows = latest(all_fit ? room : std::max<std::size_t>(room, 2) - 1);

  const std::size_t age_columns = 6;
  const std::size_t count_columns = std::max<std::size_t>(5, std::to_string(messages_).size());
  const std::size_t rate_columns = 6;
  std::size_t topic_columns = 5;
  std::size_t value_columns = 5;
  for (const auto* row : rows) {
    topic_columns = std::max(topic_columns, columns_of(shown(row->first)));
    value_columns = std::max(value_columns, columns_of(shown(row->second.value)));
  }
  const std::size_t fixed = age_columns + count_columns + rate_columns + 4 * gap + 1;
  const std::size_t free = size.columns > fixed + 20 ? size.columns - fixed : 20;
  topic_columns = std::min(topic_columns, std::max(free / 2, free - std::min(free, value_columns)));
  value_columns = std::min(value_columns, free - topic_columns);

  std::vector<std::string> lines;
  lines.push_back(paint.dim(fmt::format("{}  {}  {:>{}}  {:>{}}  {:>{}}", fitted("TOPIC", topic_columns),
                                        fitted("VALUE", value_columns), "AGE", age_columns, "COUNT", count_columns,
                                        "RATE", rate_columns)));
  double rate = 0;
  for (const auto& [topic, row] : rows_) {
    rate += row.rate.per_second(now);
  }
  for (const auto* one : rows) {
    const auto& [topic, row] = *one;
    const std::string value = fitted(row.value.empty() ? "(empty)" : shown(row.value), value_columns);
    const bool is_news = now - row.last < std::chrono::seconds{1};
    lines.push_back(fmt::format("{}  {}  {}  {:>{}}  {:>{}}", paint.topic(topic, fitted(shown(topic), topic_columns)),
                                row.value.empty() ? paint.dim(value)
                                : is_news         ? paint.bold(value)
                                                  : value,
                                row.retained ? paint.dim(fmt::format("{:>{}}", "kept", age_columns))
                                             : fmt::format("{:>{}}", age_text(now - row.last), age_columns),
                                row.count, count_columns, rate_text(row.rate.per_second(now)), rate_columns));
  }
  const std::uint64_t more = rows_.size() - rows.size() + forgotten_;
  if (more > 0) {
    lines.push_back(
        paint.dim(fmt::format("and {}, which changed longer ago", counted(more, "more topic", "more topics"))));
  }
  lines.emplace_back();
  lines.push_back(
      paint.dim(fmt::format("{}, {}{}", counted(rows_.size() + forgotten_, "topic", "topics"),
                            counted(messages_, "message", "messages"), rate > 0 ? ", " + rate_text(rate) : "")));
  return lines;
}

std::string Watch::changes(const Paint& paint, WallTime now) {
  std::string lines;
  for (auto& [topic, row] : rows_) {
    if (!row.changed) {
      continue;
    }
    row.changed = false;
    const std::string rate = rate_text(row.rate.per_second(now));
    lines += fmt::format("{}\t{}\t{}\t{}\t{}\n", paint.dim(time_of_day(row.last)), paint.topic(topic, shown(topic)),
                         row.count,
                         row.retained   ? "kept"
                         : rate.empty() ? "-"
                                        : rate,
                         shown(row.value));
  }
  return lines;
}

}  // namespace sistem
