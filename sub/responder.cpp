#include "sub/responder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/mqtt/property.hpp"
#include "common/mqtt/topic.hpp"
#include "common/process/error.hpp"
#include "common/process/thread.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

/// Of so many topics it is remembered that what is published there are answers.
constexpr std::size_t topics_remembered = 10000;

/// More than this no command says: the answers of those that run at the same time stand in memory.
constexpr std::size_t longest_output = std::size_t{16} << 20;

}  // namespace

Responder::Responder(Session& session, const SubConfig& config, const Console& console)
    : session_(session),
      config_(config),
      console_(console),
      topic_format_(config.response_topic.value_or("%t/response"), false, End::nothing) {
  if (config.respond) {
    format_.emplace(*config.respond, false, End::nothing);
  }
}

Responder::~Responder() {
  for (Job& job : jobs_) {
    job.thread.request_stop();
  }
}

void Responder::take(const Message& request, const std::stop_token& stop) {
  auto answer = answer_to(request);
  if (!answer) {
    return;
  }
  if (!format_) {
    if (!wait_for_fewer(config_.respond_max, deadline_, stop)) {
      fail(request.topic, stop.stop_requested() ? "sub was stopped" : "time is up");
      return;
    }
    start(request, std::move(*answer));
    return;
  }
  if (const auto fault = format_->append(request, {.number = ++number_}, answer->payload)) {
    fail(request.topic, *fault);
    return;
  }
  publish(std::move(*answer), request.topic, stop);
}

/// All of an answer but its payload; nothing where none is wanted, or nobody knows where.
std::optional<Message> Responder::answer_to(const Message& request) {
  Message answer{.topic = {}, .payload = {}, .qos = request.qos};
  if (const auto topic = text_in(request.properties, "response-topic")) {
    answer.topic = *topic;
    if (fault_of_topic_name(answer.topic)) {
      fail(request.topic, "its response topic is no topic name");
      return std::nullopt;
    }
    remember(answer.topic);
  } else if (auto agreed = agreed_topic(request)) {
    answer.topic = std::move(*agreed);
  } else {
    return std::nullopt;
  }
  if (config_.connection.version == ProtocolVersion::v5) {
    answer.properties = properties_for(PropertyPlace::publish, config_.connection.properties);
    for (const Property& property : request.properties) {
      if (property_name(property.identifier) == "correlation-data") {
        answer.properties.push_back(property);
      }
    }
  }
  return answer;
}

/// Where a request is answered that says nothing of it; nothing where that is no request but such an answer itself, or
/// where in MQTT 5 nothing was agreed.
std::optional<std::string> Responder::agreed_topic(const Message& request) {
  // Correlation data without a response topic is an answer's.
  if (answered_on_.contains(request.topic) || text_in(request.properties, "correlation-data")) {
    return std::nullopt;
  }
  if (config_.connection.version == ProtocolVersion::v5 && !config_.response_topic) {
    if (!std::exchange(told_of_no_topic_, true)) {
      console_.note(
          fmt::format("the message on {} asks for no answer: it has no response topic; --response-topic "
                      "answers such ones, too",
                      request.topic));
    }
    return std::nullopt;
  }
  std::string topic;
  if (topic_format_.append(request, {}, topic) || fault_of_topic_name(topic)) {
    fail(request.topic, fmt::format("\"{}\" is no topic name for an answer", topic));
    return std::nullopt;
  }
  remember(topic);
  return topic;
}

void Responder::remember(const std::string& topic) {
  if (!answered_on_.insert(topic).second) {
    return;
  }
  in_this_order_.push_back(topic);
  if (in_this_order_.size() > topics_remembered) {
    answered_on_.erase(in_this_order_.front());
    in_this_order_.pop_front();
  }
}

void Responder::start(const Message& request, Message answer) {
  const std::map<std::string, std::string> variables{{"REQUEST_TOPIC", request.topic},
                                                     {"REQUEST_QOS", std::to_string(request.qos)},
                                                     {"REQUEST_RESPONSE_TOPIC", answer.topic}};
  const Command command{config_.respond_words, config_.respond_timeout, longest_output};
  Job& job = jobs_.emplace_back();
  job.answer = std::move(answer);
  job.on = request.topic;
  job.thread =
      start_thread<std::jthread>([this, &job, command, variables, input = request.payload](const std::stop_token& end) {
        CommandResult result = run_command(command, input, variables, end);
        {
          const std::scoped_lock lock(mutex_);
          job.result = std::move(result);
          job.is_done = true;
          done_.notify_all();
        }
        session_.interrupt();
      });
}

void Responder::publish_ready(const std::stop_token& stop) {
  while (true) {
    std::list<Job> done;
    {
      const std::scoped_lock lock(mutex_);
      const auto one = std::find_if(jobs_.begin(), jobs_.end(), [](const Job& job) { return job.is_done; });
      if (one == jobs_.end()) {
        return;
      }
      done.splice(done.begin(), jobs_, one);
    }
    Job& job = done.front();
    if (job.result.fault) {
      fail(job.on, fmt::format("{} {}", *config_.respond_exec, *job.result.fault));
      continue;
    }
    job.answer.payload = std::move(job.result.output);
    if (job.answer.payload.ends_with('\n')) {
      job.answer.payload.pop_back();  // as in a shell's $(...)
    }
    publish(std::move(job.answer), job.on, stop);
  }
}

void Responder::publish(Message answer, const std::string& on, const std::stop_token& stop) {
  // This or an earlier answer; there may be others whom the broker lets have theirs.
  refused_ |= was_refused(console_, [&] {
    if (!session_.publish(std::move(answer), stop)) {
      fail(on, "sub was stopped");
    }
  });
}

void Responder::fail(const std::string& on, std::string_view why) {
  ++unanswered_;
  console_.note(fmt::format("no answer to the request on {}: {}", on, why));
}

/// Until fewer commands run; the answers of those that end meanwhile are published. False where the deadline passed or
/// a stop was requested first.
bool Responder::wait_for_fewer(std::size_t running, Deadline deadline, const std::stop_token& stop) {
  while (true) {
    publish_ready(stop);
    if (jobs_.size() < running) {
      return true;
    }
    std::unique_lock lock(mutex_);
    const auto one_is_done = [&] {
      return std::any_of(jobs_.begin(), jobs_.end(), [](const Job& job) { return job.is_done; });
    };
    if (!done_.wait_until(lock, stop, deadline, one_is_done)) {
      return false;
    }
  }
}

void Responder::finish(const std::stop_token& stop) {
  if (!wait_for_fewer(1, never, stop)) {
    for (Job& job : jobs_) {
      job.thread.request_stop();
    }
    (void)wait_for_fewer(1, never, {});
  }
  refused_ |= was_refused(console_, [&] {
    if (const std::size_t left = session_.flush(stop); left > 0) {
      unanswered_ += left;
      console_.note(fmt::format("{} not acknowledged", counted(left, "answer was", "answers were")));
    }
  });
}

}  // namespace sistem
