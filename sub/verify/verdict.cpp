#include "sub/verify/verdict.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/measure/report.hpp"
#include "common/text/screen_text.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;

constexpr std::array<Percentile, 6> percentiles{
    {{"min", 0}, {"p50", 50}, {"p90", 90}, {"p99", 99}, {"p99.9", 99.9}, {"max", 100}}};

/// So many publishers and ranges are told one by one.
constexpr std::size_t most_told = 8;

/// Pub is taken for the limit where that much of the latest hundredth is its own.
constexpr auto late_itself = 10ms;

/// sub is, where it used that much of a processor in one of the run's seconds, or that many messages waited for it.
constexpr double busy = 0.9;
constexpr std::uint64_t long_queue = 500;

double in_milliseconds(std::chrono::nanoseconds time) { return Milliseconds(time).count(); }

std::string milliseconds(std::chrono::nanoseconds time) { return fmt::format("{:.3f} ms", in_milliseconds(time)); }

std::string ranges_of(const Series& series) {
  std::vector<std::string> words;
  const auto ranges = series.lost_ranges(most_told + 1);
  for (std::size_t at = 0; at < std::min(ranges.size(), most_told); ++at) {
    const auto [first, last] = ranges[at];
    words.push_back(first == last ? std::to_string(first) : fmt::format("{}-{}", first, last));
  }
  return fmt::format("{}{}", fmt::join(words, ", "), ranges.size() > most_told ? ", ..." : "");
}

std::string words_of(const Histogram& histogram) {
  if (histogram.count() == 0) {
    return "-";
  }
  std::string words;
  for (const auto& [name, percent] : percentiles) {
    words += fmt::format("{}{} {:.3f}{}", words.empty() ? "" : ", ", name,
                         in_milliseconds(histogram.percentile(percent)), words.empty() ? " ms" : "");
  }
  return words;
}

/// How latencies are distributed: a row for each power of two, with a bar.
std::string drawn(const Histogram& histogram) {
  constexpr std::size_t widest = 40;
  std::vector<std::pair<std::chrono::nanoseconds, std::uint64_t>> rows;
  std::uint64_t most = 0;
  std::uint64_t before = 0;
  for (std::chrono::nanoseconds end = 1us; before < histogram.count() && end < 1000h; end *= 2) {
    const std::uint64_t up_to = histogram.count_up_to(end);
    if (up_to > before || !rows.empty()) {
      rows.emplace_back(end, up_to - before);
      most = std::max(most, up_to - before);
    }
    before = up_to;
  }
  std::string text;
  for (const auto& [end, count] : rows) {
    const std::size_t width = most == 0 ? 0 : static_cast<std::size_t>((count * widest + most - 1) / most);
    text += fmt::format("{:>12} ms {:<{}} {}\n", fmt::format("<= {:.3f}", in_milliseconds(end)),
                        std::string(width, '#'), widest, count);
  }
  return text;
}

std::string name_of(const PublisherRun& run) {
  const std::string name = run.publisher.empty() ? "(nameless)" : shown(run.publisher);
  return run.run == 1 ? name : fmt::format("{} (run {})", name, run.run);
}

/// What was the limit, or may be wrong with the figures: sentences.
std::vector<std::string> remarks(const Verifier& verifier, const Totals& totals, const Circumstances& circumstances) {
  const Latencies& latencies = totals.latencies;
  std::vector<std::string> sentences;
  if (latencies.lateness.percentile(99) > late_itself) {
    sentences.push_back(fmt::format(
        "pub was a limit, or the broker to it: one message of a hundred was sent {} or more after it was due",
        milliseconds(latencies.lateness.percentile(99))));
  }
  if (circumstances.dropped > 0) {
    sentences.push_back(
        fmt::format("sub was a limit: it dropped {}, which count as lost", counted(circumstances.dropped, "message")));
  } else if (circumstances.busy > busy || circumstances.greatest_queue > long_queue) {
    sentences.push_back(
        fmt::format("sub was a limit: it used up to {:.0f} % of a processor, and up to {} waited for it",
                    circumstances.busy * 100, counted(circumstances.greatest_queue, "message")));
  }
  if (latencies.has_steps()) {
    sentences.push_back(
        fmt::format("{} took about 40 ms: somebody waited for an ACK of TCP that was held back "
                    "(Nagle's algorithm and delayed ACK); TCP_NODELAY at the sender ends that",
                    counted(latencies.in_step, "message")));
  }
  for (const PublisherRun& run : verifier.runs()) {
    if (run.clock) {
      sentences.push_back(fmt::format(
          "our clock is {} {} that of {}, within {}: {}", milliseconds(std::chrono::abs(run.clock->ahead)),
          run.clock->ahead < 0ns ? "behind" : "ahead of", name_of(run), milliseconds(run.clock->within),
          verifier.subtracts() ? "that is taken off the latencies" : "--subtract-offset takes that off the latencies"));
    }
  }
  if (latencies.before_sent > 0) {
    sentences.push_back(
        fmt::format("{} arrived before they were sent: the clocks of the two machines differ, and so "
                    "these latencies are none",
                    counted(latencies.before_sent, "message")));
  }
  if (verifier.unstamped() > 0) {
    sentences.push_back(
        fmt::format("{} had no stamp: pub --stamp gives one", counted(verifier.unstamped(), "message")));
  }
  if (!std::ranges::all_of(verifier.runs(), [](const PublisherRun& run) { return run.announced.has_value(); })) {
    sentences.push_back(
        "not every publisher has said how many it sent: what it sent last may be lost without being counted");
  }
  return sentences;
}

std::string plain_text_of(const Verifier& verifier, const Totals& totals, const Budgets& budgets,
                          const Circumstances& circumstances) {
  const auto& runs = verifier.runs();
  const bool in_order = totals.lost == 0 && totals.duplicated == 0 && totals.reordered == 0 && totals.corrupted == 0;
  std::string text = report_line("publishers", std::to_string(runs.size()));
  text += report_line("received", fmt::format("{} of {}{}", totals.received, totals.sent,
                                              in_order && totals.received > 0 ? ", in order" : ""));
  const auto counted = [&](std::string_view name, std::uint64_t count, const std::string& more) {
    text += report_line(name, count == 0 || more.empty() ? std::to_string(count) : fmt::format("{}: {}", count, more));
  };
  counted("lost", totals.lost, runs.size() == 1 ? ranges_of(runs.front().series) : "");
  counted("duplicated", totals.duplicated, "");
  counted("reordered", totals.reordered, fmt::format("by up to {}", totals.furthest));
  counted("corrupted", totals.corrupted, "");
  for (std::size_t at = 0; runs.size() > 1 && at < std::min(runs.size(), most_told); ++at) {
    const Series& series = runs[at].series;
    text += report_line(
        "", fmt::format("{}: {} of {}, lost {}{}{}, duplicated {}, reordered {}, corrupted {}, p99 {}",
                        name_of(runs[at]), series.received(), series.highest(), series.lost(),
                        series.lost() > 0 ? ": " : "", ranges_of(series), series.duplicated(), series.reordered(),
                        runs[at].corrupted, milliseconds(runs[at].latencies.judged.percentile(99))));
  }
  if (runs.size() > most_told) {
    text += report_line("", fmt::format("... and {} more", runs.size() - most_told));
  }
  const Latencies& latencies = totals.latencies;
  text += report_line("latency",
                      fmt::format("{}, mean {:.3f}", words_of(latencies.from_sent), in_milliseconds(latencies.mean())));
  if (latencies.from_due.count() > 0) {
    text += report_line("since due", words_of(latencies.from_due));
  }
  text += report_line("jitter", milliseconds(latencies.jitter()));
  text += report_line("rate", totals.rate() ? fmt::format("{:.3f}/s, {} bytes in {:.3f} s", *totals.rate(),
                                                          totals.bytes, totals.time.count())
                                            : "-");
  text += drawn(latencies.judged);
  for (const std::string& sentence : remarks(verifier, totals, circumstances)) {
    text += report_line("note", sentence);
  }
  if (budgets.any()) {
    const auto sentences = broken(budgets, totals);
    text += report_line("verdict", sentences.empty() ? "kept" : fmt::format("broken: {}", fmt::join(sentences, "; ")));
  }
  return text;
}

Json json_of(const Verifier& verifier, const Totals& totals, const Budgets& budgets,
             const Circumstances& circumstances) {
  const Latencies& latencies = totals.latencies;
  Json json{{"publishers", verifier.runs().size()},
            {"sent", totals.sent},
            {"received", totals.received},
            {"lost", totals.lost},
            {"duplicated", totals.duplicated},
            {"reordered", totals.reordered},
            {"furthest", totals.furthest},
            {"corrupted", totals.corrupted},
            {"unstamped", verifier.unstamped()},
            {"bytes", totals.bytes},
            {"seconds", rounded(totals.time.count(), 6)},
            {"rate", totals.rate() ? Json(rounded(*totals.rate(), 3)) : Json()},
            {"latency_ms", json_of(latencies.from_sent, percentiles, 6)},
            {"since_due_ms", json_of(latencies.from_due, percentiles, 6)},
            {"mean_ms", rounded(in_milliseconds(latencies.mean()), 6)},
            {"jitter_ms", rounded(in_milliseconds(latencies.jitter()), 6)},
            {"runs", Json::array()},
            {"notes", remarks(verifier, totals, circumstances)},
            {"broken", broken(budgets, totals)}};
  for (const PublisherRun& run : verifier.runs()) {
    Json one{{"publisher", run.publisher},
             {"run", run.run},
             {"sent", run.series.highest()},
             {"announced", run.announced ? Json(*run.announced) : Json()},
             {"received", run.series.received()},
             {"lost", run.series.lost()},
             {"lost_ranges", Json::array()},
             {"duplicated", run.series.duplicated()},
             {"reordered", run.series.reordered()},
             {"corrupted", run.corrupted},
             {"clock_ahead_ms", run.clock ? Json(rounded(in_milliseconds(run.clock->ahead), 6)) : Json()},
             {"clock_within_ms", run.clock ? Json(rounded(in_milliseconds(run.clock->within), 6)) : Json()},
             {"latency_ms", json_of(run.latencies.from_sent, percentiles, 6)},
             {"since_due_ms", json_of(run.latencies.from_due, percentiles, 6)}};
    for (const auto& [first, last] : run.series.lost_ranges(100)) {
      one["lost_ranges"].push_back({first, last});
    }
    json["runs"].push_back(std::move(one));
  }
  return json;
}

}  // namespace

Totals::Totals(const Verifier& verifier) {
  std::optional<std::chrono::steady_clock::time_point> first;
  std::chrono::steady_clock::time_point last{};
  for (const PublisherRun& run : verifier.runs()) {
    received += run.series.received();
    sent += run.series.highest();
    lost += run.series.lost();
    duplicated += run.series.duplicated();
    reordered += run.series.reordered();
    furthest = std::max(furthest, run.series.furthest());
    corrupted += run.corrupted;
    bytes += run.bytes;
    latencies.merge(run.latencies);
    if (run.series.received() > 0) {
      first = std::min(first.value_or(run.first_arrival), run.first_arrival);
      last = std::max(last, run.last_arrival);
    }
  }
  time = first ? last - *first : std::chrono::nanoseconds(0);
}

std::optional<double> Totals::rate() const {
  return received > 1 && time.count() > 0 ? std::optional(static_cast<double>(received - 1) / time.count())
                                          : std::nullopt;
}

std::vector<std::string> broken(const Budgets& budgets, const Totals& totals) {
  std::vector<std::string> sentences;
  const auto at_most = [&](const char* name, std::uint64_t count, const std::optional<std::uint64_t>& most) {
    if (most && count > *most) {
      sentences.push_back(fmt::format("{} {}, {} more than the {} allowed", name, count, count - *most, *most));
    }
  };
  at_most("lost", totals.lost, budgets.max_loss);
  at_most("duplicated", totals.duplicated, budgets.max_dup);
  at_most("reordered", totals.reordered, budgets.max_reorder);
  const auto p99 = totals.latencies.judged.percentile(99);
  if (budgets.max_p99 && totals.latencies.judged.count() == 0) {
    sentences.emplace_back("p99 could not be measured");
  } else if (budgets.max_p99 && p99 > *budgets.max_p99) {
    sentences.push_back(fmt::format("p99 is {}, {} more than the {} allowed", milliseconds(p99),
                                    milliseconds(p99 - *budgets.max_p99), milliseconds(*budgets.max_p99)));
  }
  const double rate = totals.rate().value_or(0);
  if (budgets.min_rate && rate < *budgets.min_rate) {
    sentences.push_back(fmt::format("the rate is {:.3f}/s, {:.3f}/s less than the {}/s asked for", rate,
                                    *budgets.min_rate - rate, *budgets.min_rate));
  }
  return sentences;
}

std::string text_of(const Verifier& verifier, const Budgets& budgets, const Circumstances& circumstances,
                    ReportFormat format, bool with_heading) {
  const Totals totals{verifier};
  switch (format) {
    case ReportFormat::text: return plain_text_of(verifier, totals, budgets, circumstances);
    case ReportFormat::json:
      return json_of(verifier, totals, budgets, circumstances).dump(-1, ' ', false, Json::error_handler_t::replace) +
             "\n";
    case ReportFormat::csv: {
      Json row = json_of(verifier, totals, budgets, circumstances);
      row["broken"] = row["broken"].size();
      return csv_of(row, percentiles, with_heading);
    }
  }
  return {};
}

std::string words_so_far(const Verifier& verifier) {
  const Totals totals{verifier};
  return fmt::format("{} of {} received, {} lost, {} duplicated, {} reordered; p50 {}, p99 {}; {:.0f}/s",
                     totals.received, totals.sent, totals.lost, totals.duplicated, totals.reordered,
                     milliseconds(totals.latencies.judged.percentile(50)),
                     milliseconds(totals.latencies.judged.percentile(99)), totals.rate().value_or(0));
}

}  // namespace sistem
