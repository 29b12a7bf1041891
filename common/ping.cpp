#include "common/ping.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "common/measure/report.hpp"
#include "common/mqtt/topic.hpp"
#include "common/text/random.hpp"

namespace sistem {
namespace {

using Clock = std::chrono::steady_clock;

/// So that what others publish there, or a broker has kept, is not taken for the answer.
std::string unique_payload() { return fmt::format("ping {:016x}", random_seed()); }

bool is_among(const std::vector<Message>& arrivals, const std::string& payload) {
  return std::any_of(arrivals.begin(), arrivals.end(), [&](const Message& one) { return one.payload == payload; });
}

/// Waits for the last of the messages that this session has sent. Which of them came back, until a stop or the
/// deadline.
std::vector<std::string> wait_for_return(Session& session, const std::vector<std::string>& payloads, Deadline deadline,
                                         const std::stop_token& stop) {
  std::vector<std::string> back;
  while (!stop.stop_requested() && Clock::now() < deadline && (back.empty() || back.back() != payloads.back())) {
    const auto arrivals = session.receive(deadline, stop);
    std::copy_if(payloads.begin(), payloads.end(), std::back_inserter(back),
                 [&](const std::string& payload) { return is_among(arrivals, payload); });
  }
  return back;
}

}  // namespace

ExitStatus ping(const ConnectionConfig& connection, std::string topic, int qos, Output& output, const Console& console,
                const std::stop_token& stop) {
  const Deadline deadline = deadline_in(*connection.answer_limit);
  const auto opened = open_session(connection, console, stop, {.takes = Takes::only_qos_0});
  Session& session = *opened;
  const bool is_kept = sistem::is_kept(connection);
  if (topic.empty()) {
    topic = "ping/" + without_wildcards(session.client_id());
  }
  const auto start = Clock::now();
  const std::string first_payload = unique_payload();
  if (is_kept) {
    // Before anything is subscribed: it comes back if the session has this subscription already.
    (void)session.publish({.topic = topic, .payload = first_payload, .qos = 0}, stop);
  }
  const Grant grant = session.subscribe({{.filter = topic, .qos = qos}}, stop).front();
  if (!grant.qos) {
    throw Error{fmt::format("the broker refused the subscription to {}: {}", topic, grant.why),
                ExitStatus::topic_refused};
  }
  const auto subscribed = Clock::now();
  const std::string payload = unique_payload();
  const bool is_sent = session.publish({.topic = topic, .payload = payload, .qos = is_kept ? 0 : qos}, stop) &&
                       session.flush(stop, deadline) == 0;  // whose acknowledgement may say no
  const auto returned =
      is_sent ? wait_for_return(session, {first_payload, payload}, deadline, stop) : std::vector<std::string>{};
  const bool is_back = !returned.empty() && returned.back() == payload;
  const auto back = Clock::now();
  if (is_kept && is_back && returned.front() == payload) {
    session.unsubscribe({topic}, stop);
  }
  session.disconnect();
  if (is_back) {
    output.write_text(fmt::format("ping {}: subscribed in {:.2f} ms, round trip {:.2f} ms\n", session.broker(),
                                  Milliseconds(subscribed - start).count(), Milliseconds(back - subscribed).count()));
    output.flush();
    return ExitStatus::success;
  }
  if (stop.stop_requested()) {
    console.note("stopped before the message came back");
    return ExitStatus::failure;
  }
  console.note(fmt::format("time is up: what was published on {} has not come back", topic));
  return ExitStatus::timed_out;
}

}  // namespace sistem
