#include "sub/outcome.hpp"

#include <gtest/gtest.h>

namespace sistem {
namespace {

using RunEnd = Outcome::End;

struct Case {
  const char* what;
  Outcome outcome;
  SubConfig config;
  ExitStatus status;
  std::string words;
};

/// What is asked for of a run.
SubConfig asked(std::optional<std::uint64_t> count, std::optional<std::uint64_t> expect = {}) {
  SubConfig config;
  config.count = count;
  config.expect = expect;
  config.idle = std::chrono::duration<double>(2);
  return config;
}

Outcome ended(RunEnd end, std::size_t handled = 0) { return {.end = end, .handled = handled}; }

Outcome with(Outcome outcome, void (*change)(Outcome&)) {
  change(outcome);
  return outcome;
}

TEST(OutcomeOf, EachEndHasItsStatusAndItsWords) {
  const auto away = [](Outcome& one) { one.is_away = true; };
  const auto refused = [](Outcome& one) { one.is_granted = false; };
  const auto unfinished = [](Outcome& one) { one.is_finished = one.is_granted = false; };
  const auto dropped = [](Outcome& one) { one.dropped = 1; };
  const Case table[] = {
      {"all have come", ended(RunEnd::done, 3), asked(3), ExitStatus::success, ""},
      {"all that were expected", ended(RunEnd::done, 3), asked({}, 3), ExitStatus::success, ""},
      {"a stop", ended(RunEnd::stop, 3), asked({}), ExitStatus::success, ""},
      {"a stop too early", ended(RunEnd::stop, 2), asked(3), ExitStatus::failure, "stopped after 2 of 3 messages"},
      {"the time is up", ended(RunEnd::time_is_up, 1), asked({}), ExitStatus::timed_out, "time is up after 1 message"},
      {"too few in time", ended(RunEnd::time_is_up, 2), asked(3), ExitStatus::timed_out,
       "time is up after 2 of 3 messages"},
      {"fewer than expected", ended(RunEnd::time_is_up, 2), asked({}, 3), ExitStatus::verdict,
       "time is up after 2 of 3 messages"},
      {"silence", ended(RunEnd::silence, 5), asked({}), ExitStatus::success, "nothing came for 2 s after 5 messages"},
      {"silence too early", ended(RunEnd::silence, 2), asked(3), ExitStatus::timed_out,
       "nothing came for 2 s after 2 of 3 messages"},
      {"silence without a broker", with(ended(RunEnd::silence), away), asked({}), ExitStatus::no_broker,
       "nothing came for 2 s after 0 messages, and there is no connection to the broker at b"},
      {"no more can come", ended(RunEnd::done, 2), asked({}, 3), ExitStatus::verdict,
       "no more is to come after 2 of 3 messages"},
      {"one was refused", with(ended(RunEnd::done, 3), refused), asked(3), ExitStatus::topic_refused, ""},
      {"not all was removed", with(ended(RunEnd::stop), unfinished), asked({}), ExitStatus::failure, ""},
      {"some were dropped", with(ended(RunEnd::stop), dropped), asked({}), ExitStatus::failure, ""},
      {"a worse end tells more", with(ended(RunEnd::time_is_up), dropped), asked({}), ExitStatus::timed_out,
       "time is up after 0 messages"},
  };
  for (const auto& [what, outcome, config, status, words] : table) {
    EXPECT_EQ(status_of(outcome, config), status) << what;
    EXPECT_EQ(words_of(outcome, config, "b").value_or(""), words) << what;
  }
}

TEST(OutcomeOf, WhatWasVerifiedCountsByItsBudgetsIfAllHasCome) {
  const auto verified = [](RunEnd end, Outcome::Verified found) {
    Outcome outcome = ended(end);
    outcome.verified = found;
    return outcome;
  };
  const Outcome::Verified good{.has_any = true, .has_ended = true, .is_kept = true};
  const Outcome::Verified bad{.has_any = true, .has_ended = true, .is_kept = false};
  const Outcome::Verified unended{.has_any = true, .has_ended = false, .is_kept = true};
  const Outcome::Verified unended_and_bad{.has_any = true, .has_ended = false, .is_kept = false};
  const Case table[] = {
      {"all have ended", verified(RunEnd::done, good), asked({}), ExitStatus::success, ""},
      {"and too many were lost", verified(RunEnd::done, bad), asked({}), ExitStatus::verdict, ""},
      {"some may be late", verified(RunEnd::silence, good), asked({}), ExitStatus::success, ""},
      {"silence before the end", verified(RunEnd::silence, unended), asked({}), ExitStatus::timed_out,
       "silence came before all publishers had ended"},
      {"and too many were lost", verified(RunEnd::silence, unended_and_bad), asked({}), ExitStatus::verdict,
       "silence came before all publishers had ended"},
      {"nothing had a stamp", verified(RunEnd::time_is_up, {}), asked({}), ExitStatus::timed_out,
       "time was up before anything with a stamp had come"},
      {"a count is not reached", verified(RunEnd::time_is_up, good), asked(3), ExitStatus::timed_out,
       "time was up before all had come that was asked for"},
      {"a stop", verified(RunEnd::stop, {}), asked({}), ExitStatus::success, ""},
      {"a stop too early", verified(RunEnd::stop, good), asked(3), ExitStatus::failure,
       "stopped before all had come that was asked for"},
      {"and too many were lost", verified(RunEnd::stop, bad), asked(3), ExitStatus::verdict,
       "stopped before all had come that was asked for"},
      {"a stop of what was bad", verified(RunEnd::stop, bad), asked({}), ExitStatus::verdict, ""},
  };
  for (const auto& [what, outcome, config, status, words] : table) {
    EXPECT_EQ(status_of(outcome, config), status) << what;
    EXPECT_EQ(words_of(outcome, config, "b").value_or(""), words) << what;
  }
}

}  // namespace
}  // namespace sistem
