#include "pub/publisher.hpp"

#include <fmt/format.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/measure/deliveries.hpp"
#include "common/process/thread.hpp"
#include "common/text/random.hpp"
#include "common/text/screen_text.hpp"
#include "common/text/words.hpp"
#include "pub/clients.hpp"
#include "pub/pace/pacer.hpp"
#include "pub/presence.hpp"
#include "pub/progress.hpp"
#include "pub/report.hpp"
#include "pub/stamper.hpp"

namespace sistem {
namespace {

/// How long the message may take that comes after all stamped ones.
constexpr std::chrono::seconds last_words{5};

using Clock = std::chrono::steady_clock;

/// One run: what it works with, and how far it has come.
class Run {
 public:
  Run(Session& session, Source& source, Pacer& pacer, const PubConfig& config, Output& output, const Console& console,
      std::stop_token stop)
      : session_(session),
        source_(source),
        pacer_(pacer),
        config_(config),
        output_(output),
        console_(console),
        stop_(std::move(stop)),
        prints_(config.publishes_readings() || config.verbose),
        escapes_(prints_ && output.terminal().has_value()) {
    if (config.status) {
      presence_.emplace(config.connection.will);
    }
  }

  /// Publishes all, and waits until it is acknowledged.
  void publish() {
    start();
    {
      const TimeLimit limit{stop_, pacer_.end()};
      go_on_ = limit.token();
      config_.is_stream() ? publish_stream() : publish_turns();
    }
    output_.flush();
    if (!unacknowledged_) {  // a second wait after a stop would make it take too long
      unacknowledged_ = session_.flush(stop_);
    }
    say_how_many_were_stamped();
  }

  /// The end of a run that a fault has ended: what was accepted before it is not lost by it, unless the session itself
  /// is. Throws that fault.
  void give_up() {
    if (const auto count = config_.count(); count && !config_.is_stream()) {
      unpublished_ = *count * in_turn_ - sent_;
    }
    try {
      unacknowledged_ = session_.flush(stop_);
      say_how_many_were_stamped();
    } catch (const Error&) {
      end();
      throw;
    }
    end();
  }

  /// The end of any other run.
  ExitStatus finish() {
    end();
    if (const std::uint64_t sum = unpublished_ + *unacknowledged_; sum > 0 && !time_is_up()) {
      console_.note(
          fmt::format("stopped: {} not published and acknowledged", counted(sum, "message was", "messages were")));
      return ExitStatus::failure;
    }
    if (unpublished_ > 0) {
      console_.note(
          fmt::format("time is up: {} read and not published", counted(unpublished_, "message was", "messages were")));
    }
    if (report_.refused() > 0) {
      console_.note(fmt::format("{} of {} messages were refused; the first: {}", report_.refused(),
                                report_.deliveries.taken, report_.deliveries.first_refusal));
      return ExitStatus::topic_refused;
    }
    if (const auto fault = session_.fault(); fault && !stop_.stop_requested()) {
      console_.note(fault->what());
      return fault->status();
    }
    return ExitStatus::success;
  }

 private:
  void start() {
    if (config_.publishes_readings()) {
      const double interval = config_.pace.interval.value_or(std::chrono::seconds(0)).count();
      console_.note(fmt::format("connected to {}, publishing on {}/...{}; Ctrl-C ends", session_.broker(),
                                config_.prefix,
                                interval == 1  ? " each second"
                                : interval > 0 ? fmt::format(" each {} seconds", interval)
                                               : ""));
    }
    if (config_.count_in >= 0) {
      sent_by_all_.emplace(config_.count_in);
    }
    if (Progress::is_wanted(config_)) {
      progress_ = std::make_unique<Progress>(config_, console_, sent_);
    }
    if (config_.stamp) {
      stamper_.emplace(session_.client_id(), config_.connection.version, one_moment());
    }
    if (const auto& topic = config_.clock_topic) {
      if (const auto offset = stamper_->ask_for_offset(session_, *topic, stop_)) {
        (void)session_.publish(clock_word(*topic, session_.client_id(), *offset), stop_);
      } else {
        console_.note(fmt::format("nobody on {} has answered how their clock stands: sub --verify does", *topic));
      }
    }
    if (config_.report || config_.pace.is_given() || config_.on_refused) {
      session_.record_deliveries(deliveries_, config_.on_refusal());
    }
    started_ = Clock::now();
    pacer_.start(started_);
  }

  /// The same moment by both clocks: by the best of a few looks, since something may come between the two.
  static Stamper::Moment one_moment() {
    Stamper::Moment best{};
    auto shortest = Clock::duration::max();
    for (int look = 0; look < 5; ++look) {
      const auto before = Clock::now();
      const auto wall = std::chrono::system_clock::now();
      const auto between = Clock::now() - before;
      if (between < shortest) {
        shortest = between;
        best = {wall, before + between / 2};
      }
    }
    return best;
  }

  /// The message that ends the stamped ones is none of those that are reported; nor does its loss change how the run
  /// ended. After a stop nothing waits for its acknowledgement: a stop takes a moment, and saying goodbye sends it.
  void say_how_many_were_stamped() {
    if (!stamper_ || stamper_->count() == 0 || unacknowledged_.value_or(0) > 0) {
      return;
    }
    session_.record_deliveries(std::make_shared<Deliveries>(), OnRefusal::is_counted);
    try {
      if (session_.publish(stamper_->end(Clock::now()), stop_) && !stop_.stop_requested()) {
        (void)session_.flush(stop_, deadline_in(last_words));
      }
    } catch (const Error& error) {
      console_.note(fmt::format("how many messages were stamped could not be said: {}", error.what()));
    }
  }

  /// Readings, or the same messages again and again, as long as they are due.
  void publish_turns() {
    const auto count = config_.count();
    // A message that came with the command is taken even if a stop was faster: to end with 0 without it would be a lie.
    bool at_hand = !config_.publishes_readings();
    std::uint64_t turn = 0;
    std::size_t left_of_it = 0;  // of them, in a turn that did not come to its end
    for (; !count || turn < *count; ++turn) {
      if (turn > 0 && config_.repeat_delay > config_.repeat_delay.zero() && !wait_for_delay()) {
        break;
      }
      if (config_.repeat_delay == config_.repeat_delay.zero()) {
        expect(turn);
      }
      const auto now = Clock::now();
      const auto slot = pacer_.next(now, waits());
      if (!wait_for(slot, now) && (is_over_ || !at_hand)) {
        break;
      }
      at_hand = false;
      auto messages = turn_at(slot->moment);
      if (messages.empty()) {
        is_over_ = true;
        break;
      }
      if (config_.publishes_readings() && !session_.connected()) {
        continue;  // by the time there is a broker again, these readings are none any more
      }
      in_turn_ = messages.size();
      const bool at_once = !config_.publishes_readings() && config_.repeat_delay == config_.repeat_delay.zero() &&
                           !config_.pace.is_given() && (!count || turn + 1 < *count);
      left_of_it = in_turn_ - publish_turn(std::move(messages), *slot, at_once ? Next::more : Next::nothing);
      if (left_of_it > 0) {
        (void)pacer_.next(Clock::now(), waits());  // takes down what the wait for room has cost
        break;
      }
    }
    if (count && !time_is_up()) {
      unpublished_ = left_of_it > 0 ? (*count - turn - 1) * in_turn_ + left_of_it : (*count - turn) * in_turn_;
    } else if (config_.publishes_readings()) {
      unpublished_ = left_of_it;
    }
    if (const auto end = pacer_.end(); end && is_over_) {
      output_.flush();
      (void)sleep_until(*end, stop_);
    }
  }

  /// To be told how many messages are to be published without a pause. Where that is a flood, the process stays on one
  /// CPU from here on.
  void expect(std::size_t messages) {
    constexpr std::size_t flood = 64;
    if (!on_one_cpu_ && messages >= flood && !config_.pace.is_given()) {
      on_one_cpu_.emplace(config_.client_number > 0 ? static_cast<int>(config_.client_number) : -1);
    }
  }

  /// What a source brings that has an end of its own, each message when it is due.
  void publish_stream() {
    while (!go_on_.stop_requested()) {
      const auto asked_at = Clock::now();
      Turn turn = source_(pacer_.moment(asked_at), go_on_);
      auto now = Clock::now();
      waited_for_source_ += now - asked_at;
      if (turn.messages.empty()) {
        is_read_ = !go_on_.stop_requested();
        return;
      }
      unpublished_ = turn.messages.size();  // until they are: a fault may come between
      if (!turn.due) {
        expect(turn.messages.size());
      }
      const bool has_own_time = turn.due && !config_.pace.is_given();
      const bool may_wait = !turn.due && !config_.pace.is_given();
      // In a flood nobody may ask for the time of each message, and a look at the clock for each is dear.
      const bool needs_time = !may_wait || config_.report || config_.pace.duration;
      for (std::size_t at = 0; at < turn.messages.size(); ++at) {
        if (needs_time && at > 0) {
          now = Clock::now();
        }
        const auto slot = has_own_time ? pacer_.next_at(*turn.due, now, waits(true)) : pacer_.next(now, waits());
        if (!wait_for(slot, now) ||
            !hand_over(std::move(turn.messages[at]), due_of(*slot, has_own_time),
                       may_wait && at + 1 < turn.messages.size() ? Next::more : Next::nothing)) {
          return;
        }
        --unpublished_;
      }
      output_.flush();
    }
  }

  /// The messages of the turn that is due then. Where the source gives them but once, they are the same again.
  std::vector<Message> turn_at(const Moment& moment) {
    if (config_.publishes_readings() || config_.generates()) {
      return source_(moment, stop_).messages;
    }
    if (!repeated_) {
      repeated_ = source_(moment, stop_).messages;
    }
    return *repeated_;
  }

  /// Publishes the messages of a turn that is due now: readings together, others each in a slot of its own. How many
  /// there were until a stop was requested or the run's time was over. `after`: what comes after each.
  std::size_t publish_turn(std::vector<Message> messages, const Pacer::Slot& first, Next after) {
    std::optional<Pacer::Slot> slot = first;
    for (std::size_t at = 0; at < messages.size(); ++at) {
      if (at > 0 && !config_.publishes_readings()) {
        const auto now = Clock::now();
        slot = pacer_.next(now, waits());
        if (!wait_for(slot, now)) {
          return at;
        }
      }
      if (!hand_over(std::move(messages[at]), due_of(*slot, false), after)) {
        return at;
      }
    }
    if (config_.publishes_readings()) {
      output_.flush();
    }
    return messages.size();
  }

  /// Waits until what was published is acknowledged, and then for the delay; false where a stop was requested.
  bool wait_for_delay() {
    output_.flush();
    if (const std::size_t unacknowledged = session_.flush(go_on_); unacknowledged > 0) {
      unacknowledged_ = time_is_up() ? std::nullopt : std::optional(unacknowledged);
      return false;
    }
    return sleep_until(deadline_in(config_.repeat_delay), go_on_);
  }

  /// False where a stop was requested first, or the run's time is over: then there is no slot.
  bool wait_for(const std::optional<Pacer::Slot>& slot, Deadline now) {
    is_over_ = !slot;
    if (slot && slot->due > now) {
      output_.flush();
    }
    const auto begun = slot ? pacer_.wait(*slot, now, stop_) : std::nullopt;  // no slot lies behind the run's time
    if (!begun) {
      return false;
    }
    if (slot->is_new) {
      last_slot_at_ = *begun;
      first_slot_at_ = first_slot_at_.value_or(last_slot_at_);
      sent_before_last_slot_ = sent_;
      ++slots_;
    }
    return true;
  }

  /// When a message in that slot should be sent; nothing where neither a pace nor its source says so.
  [[nodiscard]] std::optional<Deadline> due_of(const Pacer::Slot& slot, bool has_own_time) const {
    const bool is_paced = (has_own_time || config_.pace.is_given()) && !config_.pace.speed.at_most;
    return is_paced ? std::optional(slot.due) : std::nullopt;
  }

  bool hand_over(Message&& message, std::optional<Deadline> due, Next next) {
    std::string line = prints_ ? fmt::format("{} {}", message.topic, message.payload) : "";
    if (prints_) {  // on a terminal nothing of it may act on that
      line = (escapes_ ? shown(line) : line) + "\n";
    }
    if (presence_ && !presence_->announce(session_, go_on_)) {
      return false;
    }
    const bool is_stamped = stamper_ && stamper_->takes(message);
    if (is_stamped) {
      // As late as can be: the wait for room is not a part of what the message takes, though of what is due.
      if (!session_.wait_for_room(message.qos, go_on_)) {
        return false;
      }
      stamper_->stamp(Clock::now(), due, message);
    }
    if (!session_.publish(std::move(message), go_on_, next)) {
      return false;
    }
    if (is_stamped) {
      stamper_->count_last();
    }
    ++sent_;
    if (sent_by_all_) {
      ++sent_by_all_->number();
    }
    output_.write(line);
    return true;
  }

  /// Whether the run has ended as it should, though there may be more to publish.
  [[nodiscard]] bool time_is_up() const { return is_over_ || (go_on_.stop_requested() && !stop_.stop_requested()); }

  /// What others have cost; nobody asks where there is no pace to keep.
  [[nodiscard]] Waits waits(bool has_own_time = false) const {
    return has_own_time || config_.pace.is_given() ? Waits{deliveries_->waited(), waited_for_source_} : Waits{};
  }

  /// Says goodbye to the broker, and then how it went.
  void end() {
    progress_.reset();
    if (presence_) {
      presence_->leave(session_);
    }
    session_.disconnect();
    report_.time = Clock::now() - started_;
    report_.not_sent = unpublished_;
    report_.input_left = config_.is_stream() && !is_read_;
    report_.deliveries = deliveries_->sums();
    report_.punctuality = pacer_.punctuality();
    if (const std::chrono::duration<double> span = last_slot_at_ - first_slot_at_.value_or(last_slot_at_);
        span > span.zero()) {
      report_.rate_achieved = static_cast<double>(sent_before_last_slot_) / span.count();
    }
    if (report_.punctuality.asked && slots_ > 0) {
      const double in_a_slot = static_cast<double>(sent_) / static_cast<double>(slots_);
      report_.rate_asked =
          config_.pace.rate ? *config_.pace.rate * config_.pace.speed.factor : *report_.punctuality.asked * in_a_slot;
    }
    if (!report_.rate_asked) {
      report_.take_rate_from_time();
    }
    tell_the_pace();
    if (config_.report) {
      deliver(report_, config_, output_);
    }
  }

  /// Says where the pace could not be kept, and who was the limit.
  void tell_the_pace() const {
    using Seconds = std::chrono::duration<double>;
    const Punctuality& kept = report_.punctuality;
    const Seconds by_others = kept.behind_broker + kept.behind_pub;  // a slow source has its own pace
    if (by_others < std::chrono::milliseconds(100) || by_others < report_.time / 100) {
      return;
    }
    const bool is_broker = kept.behind_broker > kept.behind_pub;
    console_.note(
        fmt::format("the pace was not kept: {}, {:.2f} s in all: {}",
                    kept.skipped > 0 ? fmt::format("{} of {} slots were skipped", kept.skipped, kept.skipped + slots_)
                    : config_.stamp  ? "messages were sent late"
                                     : "the schedule was moved",
                    by_others.count(),
                    is_broker ? "the broker was slow to acknowledge" : "pub itself, or this machine, was too slow"));
  }

  Session& session_;
  Source& source_;
  Pacer& pacer_;
  const PubConfig& config_;
  Output& output_;
  const Console& console_;
  const std::stop_token stop_;
  std::stop_token go_on_;  ///< until a stop, or the end of the run's time
  const bool prints_;
  const bool escapes_;

  const std::shared_ptr<Deliveries> deliveries_ = std::make_shared<Deliveries>();
  std::atomic<std::uint64_t> sent_{0};
  std::optional<SharedCount> sent_by_all_;  ///< clients, where this is one of several
  std::unique_ptr<Progress> progress_;
  std::optional<Presence> presence_;
  std::optional<Stamper> stamper_;
  std::optional<std::vector<Message>> repeated_;
  std::optional<OneCpu> on_one_cpu_;
  bool is_read_ = false;     ///< a stream to its end
  bool is_over_ = false;     ///< the source has ended, or the run's time
  std::size_t in_turn_ = 1;  ///< messages
  std::uint64_t unpublished_ = 0;
  std::optional<std::size_t> unacknowledged_;  ///< nothing: they were not waited for yet

  Deadline started_{};
  std::optional<Deadline> first_slot_at_;
  Deadline last_slot_at_{};
  std::uint64_t sent_before_last_slot_ = 0;
  std::uint64_t slots_ = 0;
  std::chrono::nanoseconds waited_for_source_{0};
  Report report_;
};

}  // namespace

Pacer pacer_of(const PubConfig& config) {
  const bool counts = config.is_stream() || config.repeat;
  const std::uint64_t seed = config.seed ? *config.seed : random_seed();
  // Clients that jitter together would all come at the same moment.
  const Missed missed = config.stamp ? Missed::are_made_up_for : counts ? Missed::move_the_rest : Missed::are_skipped;
  return Pacer{config.pace, seed + config.client_number, missed};
}

ExitStatus publish_all(Session& session, Source& source, Pacer& pacer, const PubConfig& config, Output& output,
                       const Console& console, const std::stop_token& stop) {
  Run run{session, source, pacer, config, output, console, stop};
  try {
    run.publish();
  } catch (...) {
    run.give_up();
    throw;
  }
  return run.finish();
}

}  // namespace sistem
