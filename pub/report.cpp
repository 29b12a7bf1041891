#include "pub/report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "common/measure/report.hpp"

namespace nlohmann {

// What a report consists of, for packed() and unpacked().
template <typename Value>
struct adl_serializer<std::optional<Value>> {
  static void to_json(json& to, const std::optional<Value>& value) { to = value ? json(*value) : json(); }
  static void from_json(const json& from, std::optional<Value>& value) {
    value = from.is_null() ? std::nullopt : std::optional(from.get<Value>());
  }
};
template <typename Rep, typename Period>
struct adl_serializer<std::chrono::duration<Rep, Period>> {
  static void to_json(json& to, const std::chrono::duration<Rep, Period>& time) { to = time.count(); }
  static void from_json(const json& from, std::chrono::duration<Rep, Period>& time) {
    time = std::chrono::duration<Rep, Period>(from.get<Rep>());
  }
};
template <>
struct adl_serializer<sistem::Histogram> {
  static void to_json(json& to, const sistem::Histogram& histogram) { to = histogram.to_text(); }
  static void from_json(const json& from, sistem::Histogram& histogram) {
    histogram = sistem::Histogram::from_text(from.get<std::string>()).value();
  }
};

}  // namespace nlohmann

namespace sistem {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Deliveries::Sums, taken, bytes, acknowledged, sent_again, refused, times)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Punctuality, lateness, skipped, behind_broker, behind_source, behind_pub)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Report, clients, not_sent, input_left, time, rate_asked, rate_achieved, deliveries,
                                   punctuality)

namespace {

using Json = nlohmann::ordered_json;
using Seconds = std::chrono::duration<double>;

constexpr std::array<Percentile, 4> percentiles{{{"p50", 50}, {"p90", 90}, {"p99", 99}, {"max", 100}}};

std::optional<double> sum(const std::optional<double>& one, const std::optional<double>& other) {
  return one || other ? std::optional(one.value_or(0) + other.value_or(0)) : std::nullopt;
}

Json json_of(const std::optional<double>& rate) { return rate ? Json(rounded(*rate, 3)) : Json(); }

Json json_of(const Report& report) {
  Json json{{"clients", report.clients},
            {"sent", report.deliveries.taken},
            {"acknowledged", report.deliveries.acknowledged},
            {"refused", report.refused()},
            {"refusals", Json::object()},
            {"unacknowledged", report.unacknowledged()},
            {"sent_again", report.deliveries.sent_again},
            {"not_sent", report.not_sent},
            {"input_left", report.input_left},
            {"bytes", report.deliveries.bytes},
            {"seconds", rounded(report.time.count(), 6)},
            {"rate_asked", json_of(report.rate_asked)},
            {"rate_achieved", json_of(report.rate_achieved)},
            {"skipped", report.punctuality.skipped},
            {"behind_seconds", rounded(report.behind().count(), 6)},
            {"limit", report.limit() ? Json(*report.limit()) : Json()},
            {"lateness_ms", json_of(report.punctuality.lateness, percentiles, 4)},
            {"acknowledgement_ms", json_of(report.deliveries.times, percentiles, 4)}};
  for (const auto& [reason, count] : report.deliveries.refused) {
    json["refusals"][reason] = count;
  }
  return json;
}

std::string words_of(const Histogram& histogram) {
  if (histogram.count() == 0) {
    return "-";
  }
  std::vector<std::string> words;
  words.reserve(percentiles.size());
  for (const auto& [name, percent] : percentiles) {
    words.push_back(fmt::format("{} {:.3f} ms", name, Milliseconds(histogram.percentile(percent)).count()));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string rate_of(const std::optional<double>& rate) { return rate ? fmt::format("{:.3f}/s", *rate) : "-"; }

std::string plain_text_of(const Report& report) {
  const Punctuality& kept = report.punctuality;
  std::string text = report_line("clients", std::to_string(report.clients));
  text += report_line("sent", fmt::format("{} messages, {} bytes, in {:.3f} s", report.deliveries.taken,
                                          report.deliveries.bytes, report.time.count()));
  text += report_line("acknowledged", std::to_string(report.deliveries.acknowledged));
  text += report_line("refused", std::to_string(report.refused()));
  for (const auto& [reason, count] : report.deliveries.refused) {
    text += report_line("", fmt::format("{}: {}", reason, count));
  }
  text += report_line("unacknowledged", std::to_string(report.unacknowledged()));
  text += report_line("sent again", std::to_string(report.deliveries.sent_again));
  text += report_line("not sent", fmt::format("{}{}", report.not_sent,
                                              report.input_left ? ", and the input was not read to its end" : ""));
  text += report_line("rate",
                      fmt::format("{} asked, {} achieved", rate_of(report.rate_asked), rate_of(report.rate_achieved)));
  text += report_line("skipped", fmt::format("{} slots", kept.skipped));
  text += report_line("behind", fmt::format("{:.3f} s: broker {:.3f} s, stdin {:.3f} s, pub {:.3f} s",
                                            report.behind().count(), Seconds(kept.behind_broker).count(),
                                            Seconds(kept.behind_source).count(), Seconds(kept.behind_pub).count()));
  text += report_line("lateness", words_of(kept.lateness));
  text += report_line("acknowledgement", words_of(report.deliveries.times));
  return text;
}

}  // namespace

std::uint64_t Report::refused() const {
  std::uint64_t all = 0;
  for (const auto& [reason, count] : deliveries.refused) {
    all += count;
  }
  return all;
}

Seconds Report::behind() const {
  return punctuality.behind_broker + punctuality.behind_source + punctuality.behind_pub;
}

std::optional<std::string_view> Report::limit() const {
  const std::array<std::pair<std::chrono::nanoseconds, std::string_view>, 3> limits{
      {{punctuality.behind_pub, "pub"}, {punctuality.behind_source, "stdin"}, {punctuality.behind_broker, "broker"}}};
  const auto& [most, name] = *std::max_element(limits.begin(), limits.end());
  return most > most.zero() ? std::optional(name) : std::nullopt;
}

void Report::take_rate_from_time() {
  rate_achieved = deliveries.taken > 1 && time.count() > 0
                      ? std::optional(static_cast<double>(deliveries.acknowledged) / time.count())
                      : std::nullopt;
}

void Report::merge(const Report& other) {
  clients += other.clients;
  not_sent += other.not_sent;
  input_left = input_left || other.input_left;
  time = std::max(time, other.time);
  rate_asked = sum(rate_asked, other.rate_asked);
  rate_achieved = sum(rate_achieved, other.rate_achieved);
  deliveries.taken += other.deliveries.taken;
  deliveries.bytes += other.deliveries.bytes;
  deliveries.acknowledged += other.deliveries.acknowledged;
  deliveries.sent_again += other.deliveries.sent_again;
  deliveries.waited += other.deliveries.waited;
  deliveries.times.merge(other.deliveries.times);
  for (const auto& [reason, count] : other.deliveries.refused) {
    deliveries.refused[reason] += count;
  }
  punctuality.lateness.merge(other.punctuality.lateness);
  punctuality.skipped += other.punctuality.skipped;
  punctuality.behind_broker += other.punctuality.behind_broker;
  punctuality.behind_source += other.punctuality.behind_source;
  punctuality.behind_pub += other.punctuality.behind_pub;
  if (!rate_asked) {
    take_rate_from_time();
  }
}

std::string text_of(const Report& report, ReportFormat format) {
  switch (format) {
    case ReportFormat::text: return plain_text_of(report);
    case ReportFormat::json: return json_of(report).dump() + "\n";
    case ReportFormat::csv: return csv_of(json_of(report), percentiles, true);
  }
  return {};
}

std::string packed(const Report& report) { return nlohmann::json(report).dump() + "\n"; }

std::optional<Report> unpacked(std::string_view text) {
  try {
    return nlohmann::json::parse(text).get<Report>();
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace sistem
