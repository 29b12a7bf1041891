#include "pub/requester.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "common/measure/report.hpp"
#include "common/mqtt/property.hpp"
#include "common/mqtt/topic.hpp"
#include "common/text/random.hpp"

namespace sistem {
namespace {

using Clock = std::chrono::steady_clock;

/// Where answers to that request are expected: where the user says, else in MQTT 5 a topic of this client's own, and
/// before it the one that `sub --respond` answers on unless it is told otherwise.
std::string topic_of_answers(const PubConfig& config, const Session& session, const Message& request) {
  if (config.response_topic) {
    return *config.response_topic;
  }
  if (config.connection.version == ProtocolVersion::v5) {
    return text_in(request.properties, "response-topic").value_or("response/" + without_wildcards(session.client_id()));
  }
  return request.topic + "/response";
}

/// Asks and hears.
class Requester {
 public:
  Requester(Session& session, const PubConfig& config, Output& output, const Console& console)
      : session_(session),
        config_(config),
        output_(output),
        console_(console),
        is_v5_(config.connection.version == ProtocolVersion::v5),
        prints_one_(config.publishes_one()),
        run_(fmt::format("{:08x}", random_seed() >> 32U)) {}

  /// Publishes the request and waits for its answer, which is printed. False where the time was up or a stop was
  /// requested before it came.
  bool ask(Message request, const std::stop_token& stop) {
    ++asked_;
    const std::string answers = topic_of_answers(config_, session_, request);
    listen_to(answers, stop);
    const std::string correlation = correlate(request, answers);
    // What is left of an earlier request that was given up cannot be told from its answer without correlation data.
    (void)session_.receive(Clock::now(), stop);
    const auto begin = Clock::now();
    if (!session_.publish(std::move(request), stop)) {
      return false;
    }
    const Deadline deadline = deadline_in(config_.timeout);
    (void)session_.flush(stop, deadline);  // which says where the broker refuses the request
    const auto answer = answer_on(answers, correlation, deadline, stop);
    if (!answer) {
      if (!stop.stop_requested()) {
        console_.note(fmt::format("no answer to {} on {} within {} s",
                                  config_.repeat > 1 ? fmt::format("request {}", asked_) : "the request", answers,
                                  config_.timeout.count()));
      }
      return false;
    }
    const auto took = std::max(answer->arrival_steady - begin, Clock::duration{});
    round_trips_.record(took);
    in_all_ += took;
    output_.write_text(answer->payload, prints_one_ ? TextLines::several : TextLines::one);
    output_.write(config_.no_newline ? "" : "\n");
    output_.flush();
    if (config_.repeat > 1) {
      console_.note(fmt::format("answer {} after {:.3f} ms", asked_, Milliseconds(took).count()));
    }
    return true;
  }

  /// How many requests were answered, and how fast, for a person.
  void conclude() const {
    if (const auto answered = static_cast<Clock::rep>(round_trips_.count()); config_.repeat > 1 && answered > 0) {
      console_.note(fmt::format("{} of {} answers; round trip {:.3f} ms at least, {:.3f} on average, {:.3f} at most",
                                answered, asked_, Milliseconds(round_trips_.least()).count(),
                                Milliseconds(in_all_ / answered).count(),
                                Milliseconds(round_trips_.greatest()).count()));
    }
  }

  [[nodiscard]] bool all_answered() const { return round_trips_.count() == asked_; }

 private:
  void listen_to(const std::string& topic, const std::stop_token& stop) {
    if (std::exchange(listening_to_, topic) == topic) {
      return;
    }
    // Of a session that is kept only messages of QoS 0 are taken: the others are not for this run.
    const int qos = is_kept(config_.connection) ? 0 : config_.qos;
    const Grant grant = session_.subscribe({{.filter = topic, .qos = qos}}, stop).front();
    if (!grant.qos) {
      throw Error{fmt::format("the broker refused the subscription to {}, where the answers are expected: {}", topic,
                              grant.why),
                  ExitStatus::topic_refused};
    }
  }

  /// Gives the request what its answer is found by, where it has not got that from the user. The correlation data.
  std::string correlate(Message& request, const std::string& answers) const {
    if (!is_v5_) {
      return {};
    }
    if (!text_in(request.properties, "response-topic")) {
      request.properties.push_back(placed_property({"publish", "response-topic", answers}).property);
    }
    if (const auto given = text_in(request.properties, "correlation-data")) {
      return *given;
    }
    std::string correlation = fmt::format("{}-{}", run_, asked_);
    request.properties.push_back(placed_property({"publish", "correlation-data", correlation}).property);
    return correlation;
  }

  std::optional<Message> answer_on(const std::string& topic, const std::string& correlation, Deadline deadline,
                                   const std::stop_token& stop) {
    while (!stop.stop_requested() && Clock::now() < deadline) {
      for (Message& message : session_.receive(deadline, stop)) {
        if (message.topic != topic || message.retain) {
          continue;  // of a kept session's other subscriptions; or older than the question
        }
        const auto carried = text_in(message.properties, "correlation-data");
        if (!is_v5_ || carried == correlation) {
          return std::move(message);
        }
        console_.note(fmt::format("passed over a message on {} {}", topic,
                                  carried ? "with other correlation data: it answers another request"
                                          : "without correlation data: whoever answers must send it back"));
      }
    }
    return std::nullopt;
  }

  Session& session_;
  const PubConfig& config_;
  Output& output_;
  const Console& console_;
  const bool is_v5_;
  const bool prints_one_;  ///< answer: no line of its can be taken for another one
  const std::string run_;  ///< told from other runs' by these digits
  std::string listening_to_;
  std::uint64_t asked_ = 0;
  Histogram round_trips_;
  Clock::duration in_all_{};  ///< all of those together
};

}  // namespace

ExitStatus request_all(Session& session, Source& source, const PubConfig& config, Output& output,
                       const Console& console, const std::stop_token& stop) {
  Requester requester{session, config, output, console};
  const Deadline start = Clock::now();
  // A template brings another message each time, without end: each repeat is one of those.
  const std::uint64_t turns = config.generates() ? config.repeat.value_or(1) : UINT64_MAX;
  const std::uint64_t times = config.generates() ? 1 : config.repeat.value_or(1);
  bool stopped = false;
  for (std::uint64_t number = 0; number < turns && !stopped; ++number) {
    stopped = config.generates() && number > 0 && !sleep_until(deadline_in(config.repeat_delay), stop);
    if (stopped) {
      break;
    }
    const Turn turn = source({Clock::now() - start, std::chrono::system_clock::now()}, stop);
    if (turn.messages.empty()) {
      break;
    }
    stopped = turn.due && !sleep_until(start + *turn.due, stop);
    for (const Message& request : turn.messages) {
      for (std::uint64_t time = 0; time < times && !stopped; ++time) {
        const bool goes_on = time == 0 || sleep_until(deadline_in(config.repeat_delay), stop);
        stopped = !goes_on || (!requester.ask(request, stop) && stop.stop_requested());
      }
    }
  }
  session.disconnect();
  requester.conclude();
  if (stopped) {
    console.note("stopped before all requests were answered");
    return ExitStatus::failure;
  }
  return requester.all_answered() ? ExitStatus::success : ExitStatus::timed_out;
}

}  // namespace sistem
