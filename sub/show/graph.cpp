#include "sub/show/graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "common/text/screen_text.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

/// So many buckets of a topic are kept: more than any terminal is wide, also where each is a point of its own.
constexpr std::size_t most_buckets = 4096;

/// So many topics beside those that are drawn are told apart when they are counted.
constexpr std::size_t most_undrawn = 10'000;

constexpr std::int64_t bucket_milliseconds = 500;

std::int64_t bucket_of(WallTime time) {
  return std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count() / bucket_milliseconds;
}

/// 1, 2 or 5 times a power of ten: the least that is no less than `wanted`.
double round_step(double wanted) {
  const double power = std::pow(10, std::floor(std::log10(wanted)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= wanted * (1 - 1e-9)) {
      return factor * power;
    }
  }
  return 10 * power;
}

/// The y axis: from where to where, and how far its numbers are apart.
struct Scale {
  double bottom = 0;
  double top = 1;
  double step = 1;

  /// For numbers from `least` to `most`, with about so many of them at the axis.
  static Scale around(double least, double most, std::size_t numbers) {
    if (most - least < std::max(std::abs(most), std::abs(least)) * 1e-9 || most == least) {
      const double margin = most == 0 ? 1 : std::abs(most) * 0.1;
      least -= margin;
      most += margin;
    }
    const double step = round_step((most - least) / static_cast<double>(std::max<std::size_t>(numbers, 1)));
    return {std::floor(least / step + 1e-9) * step, std::ceil(most / step - 1e-9) * step, step};
  }

  [[nodiscard]] std::string label(double number) const {
    const double zero = std::abs(number) < step / 1000 ? 0 : number;
    if (std::max(std::abs(top), std::abs(bottom)) >= 1e7 || step < 1e-5) {
      return fmt::format("{:.3g}", zero);
    }
    const int decimals = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
    return fmt::format("{:.{}f}", zero, decimals);
  }
};

std::string utf8_of_braille(unsigned dots) {
  // U+2800 to U+28FF are e2 a0 80 to e2 a3 bf.
  return {'\xE2', static_cast<char>(0xA0U | dots >> 6U), static_cast<char>(0x80U | (dots & 0x3FU))};
}

/// The number that the text begins with. Not of a date, a time or an address, which begin with one too.
std::optional<double> number_at_the_front(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\n"), text.size()));
  if (text.starts_with('+')) {
    text.remove_prefix(1);
  }
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || !std::isfinite(number)) {
    return std::nullopt;
  }
  constexpr std::string_view no_unit = "-:./_";
  const bool goes_on = end != text.data() + text.size() && no_unit.find(*end) != std::string_view::npos;
  return goes_on ? std::nullopt : std::optional(number);
}

std::optional<double> number_in(std::string_view json) {
  switch (json.front()) {
    case '"': return number_at_the_front(unquoted(json));
    case 't': return 1;
    case 'f': return 0;
    default: return number_at_the_front(json);  // nothing of null, of an object and of an array
  }
}

}  // namespace

NumberField::NumberField(std::string_view path) : path_(path) {
  if (path == "payload" || path == ".") {
    return;
  }
  try {
    field_.emplace(path);
  } catch (const Expected&) {
    throw Expected("expected payload, or the name of a JSON field such as temperature or a.b");
  }
}

std::optional<double> NumberField::of(std::string_view payload) const {
  if (!field_) {
    return number_at_the_front(payload);
  }
  const auto value = take_json(payload) ? field_->find(payload) : std::nullopt;
  return value ? number_in(*value) : std::nullopt;
}

/// A field of dots, each the colour of the series that was drawn there last in its character.
class Graph::Plot {
 public:
  Plot(std::size_t columns, std::size_t rows) : columns_(columns), rows_(rows), cells_(columns * rows) {}

  [[nodiscard]] std::int64_t width() const { return static_cast<std::int64_t>(columns_) * 2; }
  [[nodiscard]] std::int64_t height() const { return static_cast<std::int64_t>(rows_) * 4; }

  /// A straight line of dots; those outside are left out. y goes upwards.
  void line(std::int64_t x, std::int64_t y, std::int64_t to_x, std::int64_t to_y, std::size_t series) {
    const std::int64_t steps = std::max({std::abs(to_x - x), std::abs(to_y - y), std::int64_t{1}});
    // Of a line that comes from far outside only its end is seen.
    const std::int64_t begin = x < 0 && to_x > x ? std::max<std::int64_t>(0, (-1 - x) * steps / (to_x - x)) : 0;
    for (std::int64_t at = begin; at <= steps; ++at) {
      const double part = static_cast<double>(at) / static_cast<double>(steps);
      dot(x + std::llround(part * static_cast<double>(to_x - x)),
          y + std::llround(part * static_cast<double>(to_y - y)), series);
    }
  }

  [[nodiscard]] std::string row(std::size_t row, const Paint& paint, bool by_letters) const {
    std::string text;
    for (std::size_t at = 0; at < columns_;) {
      const std::size_t series = cell(row, at).series;
      std::string run;
      for (; at < columns_ && cell(row, at).series == series; ++at) {
        const Cell& one = cell(row, at);
        run += one.dots == 0 ? " " : by_letters ? std::string(1, letter_of(series)) : utf8_of_braille(one.dots);
      }
      text += series == no_series ? run : paint.series(series, run);
    }
    while (text.ends_with(' ')) {
      text.pop_back();
    }
    return text;
  }

  static char letter_of(std::size_t series) { return static_cast<char>('a' + series); }

 private:
  static constexpr std::size_t no_series = std::numeric_limits<std::size_t>::max();
  struct Cell {
    unsigned dots = 0;
    std::size_t series = no_series;
  };

  void dot(std::int64_t x, std::int64_t y, std::size_t series) {
    if (x < 0 || y < 0 || x >= width() || y >= height()) {
      return;
    }
    constexpr std::array<std::array<unsigned, 4>, 2> bits{{{0x40, 0x04, 0x02, 0x01}, {0x80, 0x20, 0x10, 0x08}}};
    Cell& cell = cells_[(rows_ - 1 - static_cast<std::size_t>(y / 4)) * columns_ + static_cast<std::size_t>(x / 2)];
    cell.dots |= bits[static_cast<std::size_t>(x % 2)][static_cast<std::size_t>(y % 4)];
    cell.series = series;
  }

  [[nodiscard]] const Cell& cell(std::size_t row, std::size_t column) const { return cells_[row * columns_ + column]; }

  std::size_t columns_;
  std::size_t rows_;
  std::vector<Cell> cells_;
};

std::optional<double> Graph::take(const Message& message) {
  // No scale reaches from one end of all numbers to the other.
  constexpr double largest = 1e300;
  const auto number = field_.of(message.payload);
  if (!number || std::abs(*number) > largest) {
    ++without_number_;
    return std::nullopt;
  }
  auto series =
      std::find_if(series_.begin(), series_.end(), [&](const Series& one) { return one.topic == message.topic; });
  if (series == series_.end()) {
    if (series_.size() == Paint::series_colours) {
      if (undrawn_.size() < most_undrawn) {
        undrawn_.insert(message.topic);
      }
      return number;
    }
    series = series_.insert(series_.end(), {message.topic, {}, 0});
  }
  const std::int64_t when = bucket_of(message.arrival);
  series->last = *number;
  if (!series->buckets.empty() && when <= series->buckets.back().when) {
    Bucket& bucket = series->buckets.back();
    bucket.last = *number;
    bucket.least = std::min(bucket.least, *number);
    bucket.most = std::max(bucket.most, *number);
    return number;
  }
  series->buckets.push_back({when, *number, *number, *number, *number});
  if (series->buckets.size() > most_buckets) {
    series->buckets.pop_front();
  }
  return number;
}

/// Two dots are a character: a second, or what gives the series whose numbers come most often a point in each or
/// nearly.
std::int64_t Graph::half_seconds_per_dot() const {
  constexpr std::array<std::int64_t, 10> choices{1, 2, 4, 12, 20, 60, 120, 240, 720, 1440};
  constexpr std::size_t looked_at = 64;
  double interval = std::numeric_limits<double>::max();
  for (const Series& one : series_) {
    const std::size_t count = std::min(one.buckets.size(), looked_at);
    if (count > 1) {
      const std::int64_t time = one.buckets.back().when - one.buckets[one.buckets.size() - count].when;
      interval = std::min(interval, static_cast<double>(time) / static_cast<double>(count - 1));
    }
  }
  if (interval == std::numeric_limits<double>::max()) {
    return choices.front();
  }
  const auto* const fitting = std::find_if(choices.begin(), choices.end(),
                                           [&](std::int64_t dot) { return static_cast<double>(dot) * 3 >= interval; });
  return fitting == choices.end() ? choices.back() : *fitting;
}

std::vector<std::string> Graph::frame(TerminalSize size, const Paint& paint, WallTime now) const {
  std::vector<std::string> below = legend(paint);
  if (series_.empty()) {
    below.insert(below.begin(),
                 fmt::format("no number has come yet{}", field_.path() == "payload" || field_.path() == "."
                                                             ? std::string{}
                                                             : fmt::format(" at {}", shown(field_.path()))));
    return below;
  }
  constexpr std::size_t axis_rows = 2;
  constexpr std::size_t highest = 24;
  constexpr std::size_t character = 2;  // dots
  const std::size_t around = axis_rows + below.size() + 2;
  const std::size_t rows = std::clamp<std::size_t>(size.rows > around ? size.rows - around : 0, 3, highest);

  // The scale is that of what is in sight, and of the point before, from which a line comes. How wide that is depends
  // on the labels of the scale: at least so many columns are not the plot's.
  constexpr std::size_t never_plot = 4;
  const std::int64_t per_dot = half_seconds_per_dot();
  const std::int64_t now_dot = bucket_of(now) / per_dot;
  const auto seen = static_cast<std::int64_t>((size.columns > never_plot ? size.columns - never_plot : 1) * character);
  double least = std::numeric_limits<double>::max();
  double most = std::numeric_limits<double>::lowest();
  for (const Series& one : series_) {
    for (auto bucket = one.buckets.rbegin(); bucket != one.buckets.rend(); ++bucket) {
      least = std::min(least, bucket->least);
      most = std::max(most, bucket->most);
      if (bucket->when / per_dot <= now_dot - seen) {
        break;
      }
    }
  }
  const Scale scale = Scale::around(least, most, rows / 4);
  std::size_t label_columns = 0;
  std::vector<std::string> labels(rows);
  const double dot_height = static_cast<double>(rows * 4 - 1) / (scale.top - scale.bottom);
  const auto y_of = [&](double number) { return std::llround((number - scale.bottom) * dot_height); };
  const auto steps = std::llround((scale.top - scale.bottom) / scale.step);
  for (long long at = 0; at <= steps; ++at) {
    const double number = scale.bottom + static_cast<double>(at) * scale.step;
    std::string& label = labels[rows - 1 - std::min(rows - 1, static_cast<std::size_t>(y_of(number) / 4))];
    label = scale.label(number);
    label_columns = std::max(label_columns, label.size());
  }
  constexpr std::size_t least_columns = 10;
  const std::size_t used = label_columns + 3;
  const std::size_t columns = size.columns > used + least_columns ? size.columns - used : least_columns;

  Plot plot{columns, rows};
  const auto x_of = [&](std::int64_t when) { return plot.width() - 1 - (now_dot - when / per_dot); };
  for (std::size_t number = 0; number < series_.size(); ++number) {
    const Bucket* before = nullptr;
    for (const Bucket& bucket : series_[number].buckets) {
      const std::int64_t x = x_of(bucket.when);
      if (x >= 0) {
        if (before != nullptr) {
          plot.line(x_of(before->when), y_of(before->last), x, y_of(bucket.first), number);
        }
        plot.line(x, y_of(bucket.least), x, y_of(bucket.most), number);
      }
      before = &bucket;
    }
  }

  // Times stand under every fifteenth character, at round ones: each quarter of a minute, half minute, ...
  constexpr std::int64_t tick_dots = 30;
  constexpr std::size_t time_columns = 8;
  std::string axis;
  std::string times(label_columns + 2 + columns, ' ');
  for (std::size_t at = 0; at < columns; ++at) {
    const std::int64_t dot = now_dot - plot.width() + 1 + static_cast<std::int64_t>(at * character);
    const bool is_tick = dot % tick_dots == 0 || (dot + 1) % tick_dots == 0;
    axis += is_tick ? "┬" : "─";
    const std::size_t middle = label_columns + 2 + at;
    if (is_tick && middle >= time_columns / 2 && middle + time_columns / 2 <= times.size()) {
      const std::int64_t tick = dot % tick_dots == 0 ? dot : dot + 1;
      const WallTime time{std::chrono::milliseconds{tick * per_dot * bucket_milliseconds}};
      times.replace(middle - time_columns / 2, time_columns, time_of_day(time));
    }
  }

  const bool by_letters = !paint.has_colours() && series_.size() > 1;
  std::vector<std::string> lines;
  for (std::size_t row = 0; row < rows; ++row) {
    lines.push_back(fmt::format("{:>{}} {}{}", labels[row], label_columns, labels[row].empty() ? "│" : "┤",
                                plot.row(row, paint, by_letters)));
  }
  lines.push_back(fmt::format("{:>{}} └{}", "", label_columns, axis));
  times.erase(times.find_last_not_of(' ') + 1);
  lines.push_back(paint.dim(times));
  std::move(below.begin(), below.end(), std::back_inserter(lines));
  return lines;
}

std::vector<std::string> Graph::legend(const Paint& paint) const {
  std::vector<std::string> lines;
  std::size_t topic_columns = 0;
  for (const Series& one : series_) {
    topic_columns = std::max(topic_columns, columns_of(shown(one.topic)));
  }
  for (std::size_t number = 0; number < series_.size(); ++number) {
    const Series& one = series_[number];
    const bool by_letters = !paint.has_colours() && series_.size() > 1;
    const std::string mark = by_letters ? std::string(1, Plot::letter_of(number)) : "━━";
    lines.push_back(
        fmt::format("{} {}  {:.6g}", paint.series(number, mark), fitted(shown(one.topic), topic_columns), one.last));
  }
  std::string rest;
  if (!undrawn_.empty()) {
    rest = fmt::format("{} not drawn", counted(undrawn_.size(), "more topic is", "more topics are"));
  }
  if (without_number_ > 0) {
    rest += fmt::format("{}{} no number there", rest.empty() ? "" : "; ",
                        counted(without_number_, "message has", "messages have"));
  }
  if (!rest.empty()) {
    lines.push_back(paint.dim(rest));
  }
  return lines;
}

std::string Graph::line(const Message& message, double number, const Paint& paint) {
  return fmt::format("{}\t{}\t{}\n", paint.dim(time_of_day(message.arrival, 3)),
                     paint.topic(message.topic, shown(message.topic)), number);
}

}  // namespace sistem
