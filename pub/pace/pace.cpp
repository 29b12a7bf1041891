#include "pub/pace/pace.hpp"

#include <fmt/format.h>

#include "common/options/option.hpp"
#include "common/process/error.hpp"
#include "common/text/wall_time.hpp"

namespace sistem {
namespace {

Ramp ramp_of(std::string_view text) {
  const std::size_t dots = text.find("..");
  std::string_view first = text.substr(0, dots);
  std::string_view rest = dots == std::string_view::npos ? "" : text.substr(dots + 2);
  const auto from = take_amount(first);
  const auto to = take_amount(rest);
  if (!from || !first.empty() || !to || !rest.starts_with('/') || *from < 0 || *to < 0 || *from + *to <= 0 ||
      *from > fastest || *to > fastest) {
    throw Expected("expected FROM..TO/TIME, as 0..1000/30s");
  }
  return {*from, *to, duration_of(rest.substr(1))};
}

/// A number from `least` to `most`, perhaps with that unit behind it.
std::optional<double> amount_of(std::string_view text, std::string_view unit, double least, double most) {
  const auto number = take_amount(text);
  return number && (text.empty() || text == unit) && *number >= least && *number <= most ? number : std::nullopt;
}

double jitter_of(std::string_view text) {
  if (const auto percentage = amount_of(text, "%", 0, 100)) {
    return *percentage / 100;
  }
  throw Expected("expected a percentage from 0 to 100");
}

Speed speed_of(std::string_view text) {
  if (text == "max") {
    return {1, true};
  }
  if (const auto factor = amount_of(text, "x", 0.001, 1e6)) {
    return {*factor, false};
  }
  throw Expected("expected 2x, 60x or max");
}

WallTime clock_start_of(std::string_view text) {
  const auto time = utc_time_of(text);
  if (!time) {
    throw Expected("expected a time in UTC, as 2026-11-25T08:00:00Z");
  }
  return *time;
}

std::string words_of_clock_start(WallTime time) {
  const bool is_whole = std::chrono::floor<std::chrono::seconds>(time) == time;
  return utc_time(time, is_whole ? 0 : 9);
}

}  // namespace

std::vector<Option> pace_rows(Pace& pace) {
  const Traits a_pace{.groups = {"pace"}};
  const Traits of_a_pace{.needs = {{.options = "rate interval ramp", .what = "a pace"}}};
  return {
      {"--rate N",
       "Publish N messages per second, fractions too; without --repeat until stopped. With --clients each of them "
       "keeps this pace.",
       rate(pace.rate, "messages a second"), a_pace},
      {"--interval SECONDS", "Publish a message every SECONDS, fractions too; the host's readings all together.",
       seconds(pace.interval), a_pace},
      {"--ramp FROM..TO/TIME",
       "Change the rate from FROM to TO messages per second within TIME, and then keep it: 0..1000/30s.",
       parsed(pace.ramp, ramp_of,
              [](const Ramp& held) { return fmt::format("{}..{}/{}", held.from, held.to, held.over.count()); }),
       a_pace},
      {"--burst N",
       "Publish N messages at once each time. --rate and --ramp remain the mean, so there is more time between two "
       "bursts; with --interval there is one burst per interval.",
       number(pace.burst, 1, 1'000'000'000), of_a_pace},
      {"--jitter PERCENT",
       "Delay each message at random, by at most this part of the time between two; the mean rate stays.",
       parsed(pace.jitter, jitter_of, [](double held) { return fmt::format("{}%", held * 100); }), of_a_pace},
      {"--duration TIME",
       "End after this time: 30s, 5m, 1h, 250ms, or seconds. Without --repeat messages are published until then.",
       duration(pace.duration),
       {.ends_run = EndsRun::in_time}},
      {"--speed FACTOR",
       "Make the run's clock faster: with 60x an hour of --interval, --rate, --ramp, --duration or of a recording "
       "takes a minute, with max there is no waiting.",
       parsed(pace.speed, speed_of,
              [](const Speed& held) { return held.at_most ? "max" : fmt::format("{}x", held.factor); })},
      {"--clock-start TIME",
       "The time of day at which the run's clock starts, in UTC: 2026-11-25T08:00:00Z. Default: now.",
       parsed(pace.clock_start, clock_start_of, words_of_clock_start)},
  };
}

}  // namespace sistem
