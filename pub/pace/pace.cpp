#include "pub/pace/pace.hpp"

#include <fmt/format.h>

#include <utility>

#include "common/options/amount.hpp"
#include "common/process/error.hpp"
#include "common/text/wall_time.hpp"

namespace sistem {
namespace {

/// What a word between two numbers, or after one, is.
bool take(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) {
    return false;
  }
  text.remove_prefix(word.size());
  return true;
}

Value ramp(std::optional<Ramp>& field) {
  return {[&field](std::string_view text) {
            const std::size_t dots = text.find("..");
            std::string_view first = text.substr(0, dots);
            std::string_view rest = dots == std::string_view::npos ? "" : text.substr(dots + 2);
            const auto from = take_amount(first);
            const auto to = take_amount(rest);
            if (!from || !first.empty() || !to || !take(rest, "/") || *from < 0 || *to < 0 || *from + *to <= 0 ||
                *from > fastest || *to > fastest) {
              throw Expected("expected FROM..TO/TIME, as 0..1000/30s");
            }
            field = Ramp{*from, *to, duration_of(rest)};
          },
          [&field] {
            return field ? std::vector{fmt::format("{}..{}/{}", field->from, field->to, field->over.count())}
                         : std::vector<std::string>{};
          },
          [&field] { field.reset(); }};
}

Value jitter(double& field) {
  return {[&field](std::string_view text) {
            const auto number = take_amount(text);
            if (!number || (!text.empty() && text != "%") || *number < 0 || *number > 100) {
              throw Expected("expected a percentage from 0 to 100");
            }
            field = *number / 100;
          },
          [&field] { return std::vector{fmt::format("{}%", field * 100)}; }, [&field] { field = 0; }};
}

Value speed(Speed& field) {
  return {[&field](std::string_view text) {
            if (text == "max") {
              field = {1, true};
              return;
            }
            const auto number = take_amount(text);
            if (!number || (!text.empty() && text != "x") || *number < 0.001 || *number > 1e6) {
              throw Expected("expected 2x, 60x or max");
            }
            field = {*number, false};
          },
          [&field] { return std::vector{field.at_most ? "max" : fmt::format("{}x", field.factor)}; },
          [&field] { field = {}; }};
}

Value clock_start(std::optional<WallTime>& field) {
  return {[&field](std::string_view text) {
            field = utc_time_of(text);
            if (!field) {
              throw Expected("expected a time in UTC, as 2026-11-25T08:00:00Z");
            }
          },
          [&field] {
            const bool is_whole = field && std::chrono::floor<std::chrono::seconds>(*field) == *field;
            return field ? std::vector{utc_time(*field, is_whole ? 0 : 9)} : std::vector<std::string>{};
          },
          [&field] { field.reset(); }};
}

}  // namespace

std::vector<Option> pace_rows(Pace& pace) {
  const std::string section = "Pace";
  const std::string group = "pace";
  const Rule a_pace{.options = "rate interval ramp", .what = "a pace"};
  return {
      {.name = "rate",
       .value = "N",
       .section = section,
       .help = "Publish N messages a second, fractions too; without --repeat until stopped. With --clients each keeps "
               "this pace.",
       .field = rate(pace.rate, "messages a second"),
       .groups = {group}},
      {.name = "interval",
       .value = "SECONDS",
       .section = section,
       .help = "Publish a message each so many seconds, fractions too; the host's readings all together.",
       .field = seconds(pace.interval),
       .groups = {group}},
      {.name = "ramp",
       .value = "FROM..TO/TIME",
       .section = section,
       .help = "Let the rate go from FROM to TO messages a second in that time and then stay: 0..1000/30s.",
       .field = ramp(pace.ramp),
       .groups = {group}},
      {.name = "burst",
       .value = "N",
       .section = section,
       .help = "Publish N messages at once each time. --rate and --ramp stay the mean, so there is more time between "
               "two bursts; with --interval there is a burst each time.",
       .field = number(pace.burst, 1, 1'000'000'000),
       .needs = {a_pace}},
      {.name = "jitter",
       .value = "PERCENT",
       .section = section,
       .help = "Publish each message later than due, at random, by up to this part of the time between two; the mean "
               "rate stays.",
       .field = jitter(pace.jitter),
       .needs = {a_pace}},
      {.name = "duration",
       .value = "TIME",
       .section = section,
       .help = "End after this time: 30s, 5m, 1h, 250ms, or seconds. Without --repeat messages are published until "
               "then.",
       .field = duration(pace.duration)},
      {.name = "speed",
       .value = "FACTOR",
       .section = section,
       .help = "Let the run's clock go faster: with 60x an hour of --interval, --rate, --ramp, --duration or of a "
               "recording takes a minute, with max nothing is waited for.",
       .field = speed(pace.speed)},
      {.name = "clock-start",
       .value = "TIME",
       .section = section,
       .help = "The time of day at which the run's clock starts, in UTC: 2026-11-25T08:00:00Z. Default: now.",
       .field = clock_start(pace.clock_start)},
  };
}

}  // namespace sistem
