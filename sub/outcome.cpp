#include "sub/outcome.hpp"

#include <fmt/format.h>

#include <utility>

#include "common/text/words.hpp"

namespace sistem {
namespace {

using RunEnd = Outcome::End;

/// A case, and the status where it is the first of its table that holds.
using Row = std::pair<bool, ExitStatus>;

template <std::size_t size>
ExitStatus first_of(const Row (&table)[size]) {  // NOLINT(cppcoreguidelines-avoid-c-arrays): its size is deduced
  for (const auto& [holds, status] : table) {
    if (holds) {
      return status;
    }
  }
  return ExitStatus::success;
}

/// Whether the run was to end by something that comes.
bool was_asked_for(const SubConfig& config) { return config.wanted() || config.until; }

bool are_fewer(const Outcome& outcome, const SubConfig& config) {
  return config.expect && outcome.handled < *config.expect;
}

bool is_done(const Outcome& outcome, const SubConfig& config) {
  const bool is_counted = config.wanted() && outcome.handled >= *config.wanted();
  const bool is_met = !config.until || outcome.has_met || is_counted;
  return outcome.end == RunEnd::done && is_met && !are_fewer(outcome, config);
}

/// Whether something is missing that --verify was to wait for. Silence ends a run in which somebody may still have
/// something to say; what is asked for is that the publishers have ended.
bool lacks_some(const Outcome& outcome, const SubConfig& config) {
  const bool has_ended = outcome.verified->has_ended;
  return !outcome.verified->has_any || (config.count && outcome.end != RunEnd::done) ||
         (config.until && !outcome.has_met && !has_ended) ||
         (outcome.end == RunEnd::silence && !was_asked_for(config) && !has_ended);
}

ExitStatus status_of_verified(const Outcome& outcome, const SubConfig& config) {
  const auto& [has_any, has_ended, is_kept] = *outcome.verified;
  const bool lacks = lacks_some(outcome, config);
  const bool is_stopped = outcome.end == RunEnd::stop;
  return first_of({{has_any && !is_kept, ExitStatus::verdict},
                   {lacks && is_stopped && was_asked_for(config), ExitStatus::failure},
                   {lacks && !is_stopped, ExitStatus::timed_out},
                   {true, ExitStatus::success}});
}

/// If it ended as it was asked to.
ExitStatus status_of_good_end(const Outcome& outcome) {
  return first_of({{!outcome.is_finished, ExitStatus::failure}, {!outcome.is_granted, ExitStatus::topic_refused}});
}

ExitStatus status_of_printed(const Outcome& outcome, const SubConfig& config) {
  const bool is_stopped = outcome.end == RunEnd::stop;
  const bool may_be_silent = outcome.end == RunEnd::silence && !was_asked_for(config);
  return first_of({{is_done(outcome, config), status_of_good_end(outcome)},
                   {is_stopped && was_asked_for(config), ExitStatus::failure},
                   {is_stopped, status_of_good_end(outcome)},
                   {are_fewer(outcome, config), ExitStatus::verdict},
                   {outcome.is_away, ExitStatus::no_broker},
                   {may_be_silent, status_of_good_end(outcome)},
                   {true, ExitStatus::timed_out}});
}

std::optional<std::string> words_of_verified(const Outcome& outcome, const SubConfig& config) {
  const bool is_stopped = outcome.end == RunEnd::stop;
  if (!lacks_some(outcome, config) || (is_stopped && !was_asked_for(config))) {
    return std::nullopt;
  }
  return fmt::format("{} before {}",
                     is_stopped                       ? "stopped"
                     : outcome.end == RunEnd::silence ? "silence came"
                                                      : "time was up",
                     was_asked_for(config)       ? "all had come that was asked for"
                     : outcome.verified->has_any ? "all publishers had ended"
                                                 : "anything with a stamp had come");
}

}  // namespace

ExitStatus status_of(const Outcome& outcome, const SubConfig& config) {
  const ExitStatus status = outcome.verified ? status_of_verified(outcome, config) : status_of_printed(outcome, config);
  return status == ExitStatus::success && outcome.dropped > 0 ? ExitStatus::failure : status;
}

std::optional<std::string> words_of(const Outcome& outcome, const SubConfig& config, const std::string& broker) {
  if (outcome.verified) {
    return words_of_verified(outcome, config);
  }
  if (is_done(outcome, config) || (outcome.end == RunEnd::stop && !was_asked_for(config))) {
    return std::nullopt;
  }
  const std::string tally = config.wanted() ? fmt::format("{} of {} messages", outcome.handled, *config.wanted())
                                            : counted(outcome.handled, "message");
  const std::string away =
      outcome.is_away ? fmt::format(", and there is no connection to the broker at {}", broker) : "";
  switch (outcome.end) {
    case RunEnd::done: return fmt::format("no more is to come after {}{}", tally, away);
    case RunEnd::silence:
      return fmt::format("nothing came for {} s after {}{}", config.idle.value_or(std::chrono::seconds{0}).count(),
                         tally, away);
    case RunEnd::time_is_up: return fmt::format("time is up after {}{}", tally, away);
    case RunEnd::stop: break;
  }
  return fmt::format("stopped after {}", tally);
}

}  // namespace sistem
