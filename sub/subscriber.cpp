#include "sub/subscriber.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "common/measure/stamp.hpp"
#include "common/mqtt/property.hpp"
#include "common/text/random.hpp"
#include "common/text/words.hpp"
#include "sub/flood.hpp"
#include "sub/match/message_filter.hpp"
#include "sub/outcome.hpp"
#include "sub/responder.hpp"
#include "sub/show/display.hpp"
#include "sub/verify/verification.hpp"

namespace sistem {
namespace {

using namespace std::chrono_literals;

/// How long what is missing may still come when all publishers have ended.
constexpr auto late_arrivals = 1s;

/// When what was printed is written: at once where no further message is on its way, else when that has come too, so
/// that a flood does not cost a system call for each message. But no message waits long for others: those that are on
/// their way may get stuck there.
class FlushTimer {
 public:
  using Clock = std::chrono::steady_clock;

  /// To be told after each look for messages whether others are on their way: true where all that was gathered is due.
  [[nodiscard]] bool is_due(bool others, Clock::time_point now) {
    if (others) {
      due_ = std::min(due_, now + longest);
    }
    if (others && now < due_) {
      return false;
    }
    due_ = never;
    return true;
  }

  /// Until when to look for the next message, so that nothing is held back.
  [[nodiscard]] Deadline wake() const { return due_; }

 private:
  static constexpr auto longest = 10ms;

  Deadline due_ = never;  ///< of what is gathered
};

/// How a filter should be subscribed to. MQTT 5 can leave out at the broker what -R would pass over here; but not where
/// --remove-retained must see it.
Subscription subscription(const std::string& filter, const SubConfig& config) {
  const bool none_wanted = config.skip_retained && !config.remove_retained;
  Subscription one{filter, config.qos};
  one.no_local = config.no_local;
  if (config.connection.version == ProtocolVersion::v5) {
    one.retain_as_published = config.retain_as_published;
    one.retain_handling =
        config.retain_handling.value_or(none_wanted ? RetainHandling::send_never : RetainHandling::send_always);
  }
  return one;
}

/// What the broker said to the filters, for a person.
struct Granted {
  std::string granted;               ///< a list
  std::vector<std::string> refused;  ///< a sentence for each
};

Granted subscribe_all(Session& session, const SubConfig& config, const std::stop_token& stop) {
  std::vector<Subscription> subscriptions;
  for (const std::string& filter : config.filters) {
    subscriptions.push_back(subscription(filter, config));
  }
  Granted lists;
  if (subscriptions.empty()) {
    return lists;  // -U alone: SUBSCRIBE carries at least one filter [MQTT-3.8.3-3]
  }
  for (const Grant& grant : session.subscribe(subscriptions, stop)) {
    if (grant.qos) {
      lists.granted += fmt::format("{}{} (QoS {})", lists.granted.empty() ? "" : ", ", grant.filter, *grant.qos);
    } else {
      lists.refused.push_back(fmt::format("the broker refused the subscription to {}: {}", grant.filter, grant.why));
    }
  }
  return lists;
}

/// Subscribes, then unsubscribes. Throws Error where the run makes no sense without the refused ones.
Granted prepare(Session& session, const SubConfig& config, const Console& console, const std::stop_token& stop) {
  Granted lists = subscribe_all(session, config, stop);
  for (const std::string& refusal : lists.refused) {
    if (&refusal == &lists.refused.back() && (lists.granted.empty() || config.needs_all())) {
      throw Error{refusal, ExitStatus::topic_refused};
    }
    console.note(refusal);
  }
  std::string what = lists.granted.empty() ? "" : fmt::format(", subscribed to {}", lists.granted);
  if (!config.unsubscribe.empty()) {
    session.unsubscribe(config.unsubscribe, stop);
    what += fmt::format(", unsubscribed from {}", fmt::join(config.unsubscribe, ", "));
  }
  if (config.says_when_ready) {
    console.note(fmt::format("connected to {}{}", session.broker(), what));
  }
  return lists;
}

/// What is done with each message that arrives.
class MessageHandler {
 public:
  /// `verification`: what takes the place of the display; null: nothing.
  MessageHandler(Session& session, const SubConfig& config, Output& output, Display& display,
                 Verification* verification, Recording* recording, const Console& console)
      : session_(session),
        config_(config),
        output_(output),
        display_(display),
        verification_(verification),
        recording_(recording),
        console_(console),
        filter_(config, random_seed()) {
    if (config.responds()) {
      responder_.emplace(session, config, console);
    }
  }

  /// Whether there is anything left to wait for.
  [[nodiscard]] bool goes_on() const { return !is_over_ && !(config_.wanted() && handled_ >= *config_.wanted()); }
  [[nodiscard]] std::size_t handled() const { return handled_; }
  /// Whether the message has come that --until waits for.
  [[nodiscard]] bool met() const { return met_; }
  /// How many more messages it takes at least until there is nothing left to wait for; none: nobody knows.
  [[nodiscard]] std::optional<std::size_t> left_to_take() const {
    const auto at_once = config_.takes_at_once();
    return at_once && config_.wanted() ? std::min(*at_once, *config_.wanted() - std::min(*config_.wanted(), handled_))
                                       : at_once;
  }
  /// How many retained messages are still there, since a stop came first.
  [[nodiscard]] std::size_t kept() const { return kept_; }
  /// Whether the broker refused to forget one, or an answer.
  [[nodiscard]] bool refused() const { return refused_ || (responder_ && responder_->refused()); }
  /// How many requests went without an answer.
  [[nodiscard]] std::size_t unanswered() const { return responder_ ? responder_->unanswered() : 0; }

  /// How many retained messages would have been removed: --dry-run.
  [[nodiscard]] std::size_t removable() const { return removable_; }

  void take(Message message, const std::stop_token& stop) {
    if (!goes_on()) {
      return;
    }
    if (config_.stamped) {
      take_stamp_off(message);
    }
    if (verification_ != nullptr && is_aside(message) && !filter_.is_filtered_out(message)) {
      verification_->take(message, session_, stop);
      is_over_ = verification_->is_over();
      return;
    }
    const Choice choice = filter_.choose(message);
    if (choice.forgotten && config_.dry_run) {
      ++removable_;
    } else if (choice.forgotten) {
      remove(message.topic, stop);
    }
    handled_ += choice.handled ? 1 : 0;
    if (choice.handled && responder_) {
      responder_->take(message, stop);  // first: whoever asked waits, also where nobody reads what is printed
    }
    if (choice.printed) {
      if (recording_ != nullptr) {
        recording_->keep(message);
      }
      if (verification_ != nullptr) {
        verification_->take(message, session_, stop);
      } else {
        display_.show(message);
      }
    }
    met_ = choice.is_last;
    is_over_ = choice.ends || choice.is_last || (verification_ != nullptr && verification_->is_over());
  }

  /// Writes what was gathered: nothing more is waiting. What was written is acknowledged.
  void flush() {
    if (recording_ != nullptr) {
      recording_->flush();
    }
    output_.flush();
    if (!output_.has_lost() && (recording_ == nullptr || !recording_->has_failed())) {
      session_.acknowledge();
    }
  }

  /// What needs longer is not answered.
  void end_by(Deadline deadline) {
    if (responder_) {
      responder_->end_by(deadline);
    }
  }

  /// Does what commands have left to do that answer requests.
  void publish_answers(const std::stop_token& stop) {
    if (responder_) {
      responder_->publish_ready(stop);
    }
  }

  /// Waits for all answers that are still to be given.
  void finish_answers(const std::stop_token& stop) {
    if (responder_) {
      responder_->finish(stop);
    }
  }

 private:
  /// A removal that the broker refuses is told, and does not keep the messages after it from being handled.
  void remove(const std::string& topic, const std::stop_token& stop) {
    try {
      kept_ += session_.publish({.topic = topic, .qos = 1, .retain = true}, stop) ? 0 : 1;
    } catch (const Error& error) {
      if (error.status() != ExitStatus::topic_refused) {
        output_.flush();
        throw;
      }
      console_.note(error.what());
      refused_ = true;
    }
  }

  Session& session_;
  const SubConfig& config_;
  Output& output_;
  Display& display_;
  Verification* verification_;
  Recording* recording_;
  const Console& console_;
  std::optional<Responder> responder_;
  MessageFilter filter_;
  std::size_t handled_ = 0;
  std::size_t removable_ = 0;
  std::size_t kept_ = 0;
  bool refused_ = false;
  bool met_ = false;
  bool is_over_ = false;  ///< a message came that ends it
};

/// Takes what arrives until one of the ends has come. True where it is that nothing has come for a while, with a
/// connection or without.
bool take_all(Session& session, const SubConfig& config, MessageHandler& handler, Display& display,
              Verification* verification, Silence& silence, Deadline deadline, Output& output,
              const std::stop_token& stop) {
  const auto idle_end = [&] { return config.idle ? deadline_in(*config.idle) : never; };
  // What is missing when all have ended has so long to come, whatever else comes in the meantime.
  Deadline late = never;
  Deadline idle = idle_end();
  FlushTimer timer;
  Flood flood;
  while (handler.goes_on() && !stop.stop_requested() && std::chrono::steady_clock::now() < deadline) {
    const Deadline wake =
        std::min({deadline, idle, late, deadline_in(config.look_at_reader), display.due(), silence.due(), timer.wake(),
                  verification != nullptr ? verification->due() : never});
    std::vector<Message> messages = session.receive(wake, stop);
    flood.hear(messages.size());
    for (Message& message : messages) {
      handler.take(std::move(message), stop);
    }
    handler.publish_answers(stop);
    silence.hear(messages.size(), handler.handled());
    silence.attend(session, stop);
    display.refresh(session.waiting());
    if (verification != nullptr) {
      verification->refresh(session.waiting());
      late = !verification->has_ended() ? never : late == never ? deadline_in(late_arrivals) : late;
      if (std::chrono::steady_clock::now() >= late) {
        handler.flush();
        return true;
      }
    }
    // What is more than was asked for is not to be acknowledged: it is for the next one who asks.
    session.take_at_most(handler.left_to_take());
    if (timer.is_due(session.waiting() > 0, std::chrono::steady_clock::now())) {
      handler.flush();
      if (output.closed()) {
        throw OutputClosed{};
      }
    }
    if (!messages.empty()) {
      idle = idle_end();
    } else if (std::chrono::steady_clock::now() >= idle) {
      return !stop.stop_requested();
    }
  }
  handler.flush();
  return false;
}

/// Prints what has arrived and was not taken yet, since it is acknowledged and will not come again.
void take_what_is_there(Session& session, MessageHandler& handler, const std::stop_token& stop) {
  for (Message& message : session.receive(std::chrono::steady_clock::now(), stop)) {
    handler.take(std::move(message), stop);
  }
  handler.flush();
}

/// The same where a fault ends the run, which is told by somebody else. Messages of a session that was kept arrive
/// before anything is subscribed: `is_begun` says whether the display has begun.
void take_what_is_left(Session& session, MessageHandler& handler, Display& display, bool is_begun,
                       const std::stop_token& stop) {
  try {
    session.take_no_more();
    for (Message& message : session.receive(std::chrono::steady_clock::now(), stop)) {
      if (!std::exchange(is_begun, true)) {
        display.begin();
      }
      handler.take(std::move(message), stop);
    }
    handler.flush();
    session.disconnect();
    if (is_begun) {
      display.finish(session.waiting());
    }
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): what ended the run, once more
  }
}

/// For what is to take only a moment more.
std::stop_token requested_stop() {
  std::stop_source source;
  source.request_stop();
  return source.get_token();
}

/// Waits until the broker has what --remove-retained told it; where the time is up, only a moment more. True where it
/// has all.
bool flush_removals(Session& session, const MessageHandler& handler, bool time_is_up, const Console& console,
                    const std::stop_token& stop) {
  const std::size_t left = handler.kept() + session.flush(time_is_up ? requested_stop() : stop);
  if (left > 0) {
    console.note(fmt::format("{} may not have been removed", counted(left, "retained message")));
  }
  return left == 0;
}

void tell_dropped(std::size_t dropped, const Console& console) {
  if (dropped > 0) {
    console.note(fmt::format("{} dropped because the reader of stdout was slow",
                             counted(dropped, "message was", "messages were")));
  }
}

/// Where an exception ends a run that is verified, what was seen of it is reported all the same.
class ReportAnyway {
 public:
  ReportAnyway(Verification* verification, const Session& session, Output& output)
      : verification_(verification), session_(session), output_(output) {}
  ReportAnyway(const ReportAnyway&) = delete;
  ReportAnyway& operator=(const ReportAnyway&) = delete;
  ~ReportAnyway() {
    if (verification_ == nullptr || std::uncaught_exceptions() == before_) {
      return;
    }
    try {
      (void)verification_->report(session_, output_);
    } catch (...) {  // NOLINT(bugprone-empty-catch): the fault that ends the run is the one to be told
    }
  }

 private:
  Verification* verification_;
  const Session& session_;
  Output& output_;
  int before_ = std::uncaught_exceptions();
};

Outcome print_all(Session& session, const SubConfig& config, Output& output, Recording* recording,
                  const Console& console, const std::stop_token& stop, const OpenSession& look) {
  Display display{config, output, console};
  std::optional<Verification> verification;
  if (config.verify) {
    verification.emplace(config, console);
  }
  Verification* const verifies = verification ? &*verification : nullptr;
  MessageHandler handler{session, config, output, display, verifies, recording, console};
  bool all_granted = false;
  bool is_idle = false;
  bool is_begun = false;
  try {
    const Granted lists = prepare(session, config, console, stop);
    all_granted = lists.refused.empty();
    Silence silence{config, lists.granted, look, console};
    const Deadline deadline = config.timeout ? deadline_in(*config.timeout) : never;
    handler.end_by(deadline);
    display.begin();
    is_begun = true;
    if (!config.exit_after_suback) {
      const ReportAnyway reports{verifies, session, output};
      is_idle = take_all(session, config, handler, display, verifies, silence, deadline, output, stop);
    }
  } catch (const Error&) {
    take_what_is_left(session, handler, display, is_begun, stop);
    throw;
  }
  session.take_no_more();
  if (handler.goes_on()) {
    take_what_is_there(session, handler, stop);
  }
  Outcome outcome;
  outcome.end = config.exit_after_suback || !handler.goes_on() ? Outcome::End::done
                : is_idle                                      ? Outcome::End::silence
                : stop.stop_requested()                        ? Outcome::End::stop
                                                               : Outcome::End::time_is_up;
  outcome.is_away = is_idle && !session.connected();
  const bool time_is_up = outcome.end == Outcome::End::time_is_up;
  handler.finish_answers(time_is_up ? requested_stop() : stop);
  const bool removed = !config.remove_retained || flush_removals(session, handler, time_is_up, console, stop);
  display.finish(session.waiting());
  session.disconnect();
  if (!config.remove_retained && !config.responds() && !config.verify) {
    take_what_is_there(session, handler, stop);  // what came while goodbye was said
    display.finish(session.waiting());
  }
  if (config.dry_run) {
    console.note(
        fmt::format("dry run: {} would be removed, and none was", counted(handler.removable(), "retained message")));
  }
  outcome.handled = handler.handled();
  outcome.has_met = handler.met();
  outcome.is_granted = all_granted && !handler.refused();
  outcome.is_finished = removed && handler.unanswered() == 0;
  outcome.dropped = session.dropped();
  if (verification) {
    const bool is_kept = verification->report(session, output);
    outcome.verified = {verification->has_any(), verification->has_ended(), is_kept};
  }
  return outcome;
}

/// Whether each message that arrives is one of those that -C counts.
bool counts_all(const SubConfig& config) {
  return config.match.empty() && config.json_match.empty() && config.filter_out.empty() && !config.skip_retained &&
         !config.retained_only && !config.unique && config.random_filter >= 100 && !config.verify;
}

}  // namespace

ConnectionConfig connection_of(const SubConfig& config) {
  constexpr std::size_t most = 65535;
  ConnectionConfig connection = config.connection;
  const std::size_t wanted = config.wanted().value_or(most);
  const auto given = properties_for(PropertyPlace::connect, connection.properties);
  if (connection.version == ProtocolVersion::v5 && wanted > 0 && wanted < most && counts_all(config) &&
      config.overflow == Overflow::block && !number_in(given, "receive-maximum")) {
    connection.properties.push_back(placed_property({"connect", "receive-maximum", std::to_string(wanted)}));
  }
  return connection;
}

ExitStatus print_messages(Session& session, const SubConfig& config, Output& output, const Console& console,
                          const std::stop_token& stop, const OpenSession& look, Recording* recording) {
  try {
    const Outcome outcome = print_all(session, config, output, recording, console, stop, look);
    if (const auto words = words_of(outcome, config, session.broker())) {
      console.note(*words);
    }
    tell_dropped(outcome.dropped, console);
    return status_of(outcome, config);
  } catch (const Error&) {
    output.flush();  // what was taken is printed
    tell_dropped(session.dropped(), console);
    throw;
  }
}

}  // namespace sistem
