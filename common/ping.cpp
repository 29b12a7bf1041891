#include "common/ping.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "common/random.hpp"
#include "common/topic.hpp"

namespace sistem {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds(Clock::duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

/// So that what others publish there, or a broker has kept, is not taken for the answer.
std::string unique_payload() { return fmt::format("ping {:016x}", random_seed()); }

/// Waits for the message that this session has sent; false where a stop or the deadline came first.
bool comes_back(Session& session, const std::string& payload, Deadline deadline, const std::stop_token& stop) {
  while (!stop.stop_requested() && Clock::now() < deadline) {
    const std::vector<Message> arrivals = session.receive(deadline, stop);
    if (std::any_of(arrivals.begin(), arrivals.end(), [&](const Message& one) { return one.payload == payload; })) {
      return true;
    }
  }
  return false;
}

}  // namespace

ExitStatus ping(Session& session, std::string topic, int qos, Deadline deadline, Output& output, const Console& console,
                const std::stop_token& stop) {
  if (topic.empty()) {
    topic = "ping/" + without_wildcards(session.client_id());
  }
  const auto start = Clock::now();
  const Grant grant = session.subscribe({{.filter = topic, .qos = qos}}, stop).front();
  if (!grant.qos) {
    throw Error{fmt::format("the broker refused the subscription to {}: {}", topic, grant.why),
                ExitStatus::topic_refused};
  }
  const auto subscribed = Clock::now();
  const std::string payload = unique_payload();
  const bool is_sent = session.publish({.topic = topic, .payload = payload, .qos = qos}, stop) &&
                       session.flush(stop, deadline) == 0;  // whose acknowledgement may say no
  const bool is_back = is_sent && comes_back(session, payload, deadline, stop);
  const auto back = Clock::now();
  session.disconnect();
  if (is_back) {
    output.write(fmt::format("ping {}: subscribed in {:.2f} ms, round trip {:.2f} ms\n", session.broker(),
                             milliseconds(subscribed - start), milliseconds(back - subscribed)));
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
