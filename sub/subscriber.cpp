#include "sub/subscriber.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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
using Clock = std::chrono::steady_clock;

/// How long what is missing may still come when all publishers have ended.
constexpr auto late_arrivals = 1s;

/// When what was printed is written: at once where no further message is on its way, else when that has come too, so
/// that a flood does not cost a system call for each message. But no message waits long for others: those that are on
/// their way may get stuck there.
class FlushTimer {
 public:
  /// To be told after each look for messages whether others are on their way: true where all that was gathered is due.
  [[nodiscard]] bool is_due(bool others, Deadline now) {
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

/// For what is to take only a moment more.
std::stop_token requested_stop() {
  std::stop_source source;
  source.request_stop();
  return source.get_token();
}

/// One run: what it works with, and how far it has come.
class Run {
 public:
  Run(Session& session, const SubConfig& config, Output& output, const Console& console, std::stop_token stop,
      Recording* recording)
      : session_(session),
        config_(config),
        output_(output),
        console_(console),
        stop_(std::move(stop)),
        recording_(recording),
        display_(config, output, console),
        filter_(config, random_seed()) {
    if (config.verify) {
      verification_.emplace(config, console);
    }
    if (config.responds()) {
      responder_.emplace(session, config, console);
    }
  }

  /// All of it, from the subscriptions to DISCONNECT.
  Outcome print_all(const OpenSession& look) {
    bool is_idle = false;
    try {
      Silence silence{config_, subscribe(), look, console_};
      const Deadline deadline = config_.timeout ? deadline_in(*config_.timeout) : never;
      if (responder_) {
        responder_->end_by(deadline);
      }
      begin();
      if (!config_.exit_after_suback) {
        is_idle = take_all(silence, deadline);
      }
    } catch (const Error&) {
      report_anyway();
      take_what_is_left();
      throw;
    } catch (...) {
      report_anyway();
      throw;
    }
    session_.take_no_more();
    if (goes_on()) {
      take_what_is_there();
    }
    outcome_.end = config_.exit_after_suback || !goes_on() ? Outcome::End::done
                   : is_idle                               ? Outcome::End::silence
                   : stop_.stop_requested()                ? Outcome::End::stop
                                                           : Outcome::End::time_is_up;
    outcome_.is_away = is_idle && !session_.connected();
    finish(outcome_.end == Outcome::End::time_is_up ? requested_stop() : stop_);
    return outcome_;
  }

 private:
  /// Subscribes, then unsubscribes. What was granted, for a person. Throws Error where the run makes no sense without
  /// what was refused.
  std::string subscribe() {
    std::vector<Subscription> subscriptions;
    for (const std::string& filter : config_.filters) {
      subscriptions.push_back(subscription(filter, config_));
    }
    std::string granted;
    std::vector<std::string> refusals;
    if (!subscriptions.empty()) {  // -U alone: SUBSCRIBE carries at least one filter [MQTT-3.8.3-3]
      for (const Grant& grant : session_.subscribe(subscriptions, stop_)) {
        if (grant.qos) {
          granted += fmt::format("{}{} (QoS {})", granted.empty() ? "" : ", ", grant.filter, *grant.qos);
        } else {
          refusals.push_back(fmt::format("the broker refused the subscription to {}: {}", grant.filter, grant.why));
        }
      }
    }
    for (const std::string& refusal : refusals) {
      if (&refusal == &refusals.back() && (granted.empty() || config_.needs_all())) {
        throw Error{refusal, ExitStatus::topic_refused};
      }
      console_.note(refusal);
    }
    outcome_.is_granted = refusals.empty();
    std::string what = granted.empty() ? "" : fmt::format(", subscribed to {}", granted);
    if (!config_.unsubscribe.empty()) {
      session_.unsubscribe(config_.unsubscribe, stop_);
      what += fmt::format(", unsubscribed from {}", fmt::join(config_.unsubscribe, ", "));
    }
    if (config_.says_when_ready) {
      console_.note(fmt::format("connected to {}{}", session_.broker(), what));
    }
    return granted;
  }

  void begin() {
    if (!is_begun_) {
      display_.begin();
      is_begun_ = true;
    }
  }

  /// Whether there is anything left to wait for.
  [[nodiscard]] bool goes_on() const {
    return !is_over_ && !(config_.wanted() && outcome_.handled >= *config_.wanted());
  }

  /// How many more messages it takes at least until there is nothing left to wait for; none: nobody knows.
  [[nodiscard]] std::optional<std::size_t> left_to_take() const {
    const auto at_once = config_.takes_at_once();
    return at_once && config_.wanted()
               ? std::min(*at_once, *config_.wanted() - std::min(*config_.wanted(), outcome_.handled))
               : at_once;
  }

  /// Takes what arrives until one of the ends has come. True where it is that nothing has come for a while, with a
  /// connection or without.
  bool take_all(Silence& silence, Deadline deadline) {
    const auto idle_end = [&] { return config_.idle ? deadline_in(*config_.idle) : never; };
    // What is missing when all have ended has so long to come, whatever else comes in the meantime.
    Deadline late = never;
    Deadline idle = idle_end();
    FlushTimer timer;
    Flood flood;
    while (goes_on() && !stop_.stop_requested() && Clock::now() < deadline) {
      const Deadline wake = std::min({deadline, idle, late, deadline_in(config_.look_at_reader), display_.due(),
                                      silence.due(), timer.wake(), verification_ ? verification_->due() : never});
      std::vector<Message> messages = session_.receive(wake, stop_);
      flood.hear(messages.size());
      for (Message& message : messages) {
        take(std::move(message));
      }
      if (responder_) {
        responder_->publish_ready(stop_);
      }
      silence.hear(messages.size(), outcome_.handled);
      silence.attend(session_, stop_);
      display_.refresh(session_.waiting());
      if (verification_) {
        verification_->refresh(session_.waiting());
        late = !verification_->has_ended() ? never : late == never ? deadline_in(late_arrivals) : late;
        if (Clock::now() >= late) {
          flush();
          return true;
        }
      }
      // What is more than was asked for is not to be acknowledged: it is for the next one who asks.
      session_.take_at_most(left_to_take());
      if (timer.is_due(session_.waiting() > 0, Clock::now())) {
        flush();
        if (output_.closed()) {
          throw OutputClosed{};
        }
      }
      if (!messages.empty()) {
        idle = idle_end();
      } else if (Clock::now() >= idle) {
        return !stop_.stop_requested();
      }
    }
    flush();
    return false;
  }

  void take(Message message) {
    if (!goes_on()) {
      return;
    }
    if (config_.stamped) {
      take_stamp_off(message);
    }
    if (verification_ && is_aside(message) && !filter_.is_filtered_out(message)) {
      verification_->take(message, session_, stop_);
      is_over_ = verification_->is_over();
      return;
    }
    const Choice choice = filter_.choose(message);
    if (choice.forgotten && config_.dry_run) {
      ++removable_;
    } else if (choice.forgotten) {
      remove(message.topic);
    }
    outcome_.handled += choice.handled ? 1 : 0;
    if (choice.handled && responder_) {
      responder_->take(message, stop_);  // first: whoever asked waits, also where nobody reads what is printed
    }
    if (choice.printed) {
      if (recording_ != nullptr) {
        recording_->keep(message);
      }
      verification_ ? verification_->take(message, session_, stop_) : display_.show(message);
    }
    outcome_.has_met = choice.is_last;
    is_over_ = choice.ends || choice.is_last || (verification_ && verification_->is_over());
  }

  /// A removal that the broker refuses is told, and does not keep the messages after it from being handled.
  void remove(const std::string& topic) {
    outcome_.is_granted &= !was_refused(
        console_, [&] { kept_ += session_.publish({.topic = topic, .qos = 1, .retain = true}, stop_) ? 0 : 1; });
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

  /// Prints what has arrived and was not taken yet, since it is acknowledged and will not come again.
  void take_what_is_there() {
    for (Message& message : session_.receive(Clock::now(), stop_)) {
      begin();  // messages of a session that was kept arrive before anything is subscribed
      take(std::move(message));
    }
    flush();
  }

  /// The same where a fault ends the run, which is told by somebody else.
  void take_what_is_left() {
    try {
      session_.take_no_more();
      take_what_is_there();
      session_.disconnect();
      if (is_begun_) {
        display_.finish(session_.waiting());
      }
    } catch (const Error&) {  // NOLINT(bugprone-empty-catch): what ended the run, once more
    }
  }

  /// Where a fault ends a run that is verified, what was seen of it is reported all the same.
  void report_anyway() {
    if (!verification_ || !is_begun_) {
      return;
    }
    try {
      (void)verification_->report(session_, output_);
    } catch (...) {  // NOLINT(bugprone-empty-catch): the fault that ends the run is the one to be told
    }
  }

  /// Waits for what was published, as long as `patience` says, and says goodbye to the broker.
  void finish(const std::stop_token& patience) {
    if (responder_) {
      responder_->finish(patience);
      outcome_.is_granted &= !responder_->refused();
      outcome_.is_finished = responder_->unanswered() == 0;
    }
    if (const std::size_t left = config_.remove_retained ? kept_ + session_.flush(patience) : 0; left > 0) {
      console_.note(fmt::format("{} may not have been removed", counted(left, "retained message")));
      outcome_.is_finished = false;
    }
    display_.finish(session_.waiting());
    session_.disconnect();
    if (!config_.remove_retained && !config_.responds() && !config_.verify) {
      take_what_is_there();  // what came while goodbye was said
      display_.finish(session_.waiting());
    }
    if (config_.dry_run) {
      console_.note(fmt::format("dry run: {} would be removed, and none was", counted(removable_, "retained message")));
    }
    outcome_.dropped = session_.dropped();
    if (verification_) {
      const bool is_kept = verification_->report(session_, output_);
      outcome_.verified = {verification_->has_any(), verification_->has_ended(), is_kept};
    }
  }

  Session& session_;
  const SubConfig& config_;
  Output& output_;
  const Console& console_;
  const std::stop_token stop_;
  Recording* const recording_;  ///< null: none
  Display display_;
  std::optional<Verification> verification_;  ///< takes the place of the display
  std::optional<Responder> responder_;
  MessageFilter filter_;
  Outcome outcome_;
  std::size_t removable_ = 0;  ///< retained messages, with --dry-run
  std::size_t kept_ = 0;       ///< retained messages that are still there, since a stop came first
  bool is_begun_ = false;      ///< the display
  bool is_over_ = false;       ///< a message came that ends it
};

void tell_dropped(std::size_t dropped, const Console& console) {
  if (dropped > 0) {
    console.note(fmt::format("{} dropped because the reader of stdout was slow",
                             counted(dropped, "message was", "messages were")));
  }
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
    const Outcome outcome = Run{session, config, output, console, stop, recording}.print_all(look);
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
