#include "pub/clock_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "common/process/error.hpp"

namespace sistem {

std::optional<ClockOffset> ask_for_offset(Session& session, const std::string& topic,
                                          const std::function<Stamp::Time(Deadline)>& wall,
                                          const std::stop_token& stop) {
  constexpr int rounds = 16;
  using Clock = std::chrono::steady_clock;
  // Below the topic, so that who may publish and read there may do so here; an answer says by its property what it is.
  std::string answers = topic + "/clock/" + session.client_id();
  std::ranges::replace_if(
      answers, [](char c) { return c == '+' || c == '#'; }, '-');  // it is a filter, too
  if (const Grant grant = session.subscribe({{.filter = answers}}, stop).front(); !grant.qos) {
    throw Error{fmt::format("the broker refused the subscription to {}: {}", answers, grant.why),
                ExitStatus::topic_refused};
  }
  std::optional<ClockOffset> best;
  const Deadline end = Clock::now() + std::chrono::seconds(1);
  for (int round = 0; round < rounds; ++round) {
    if (!session.publish(clock_question(topic, answers, wall(Clock::now())), stop)) {
      return best;
    }
    bool is_answered = false;
    while (!is_answered && Clock::now() < end && !stop.stop_requested()) {
      for (const Message& message : session.receive(end, stop)) {
        const auto offset = offset_of(message, wall(message.arrival_steady));
        is_answered = is_answered || offset;
        if (offset && (!best || offset->within < best->within)) {
          best = offset;
        }
      }
    }
    if (!is_answered) {
      break;
    }
  }
  session.unsubscribe({answers}, stop);
  return best;
}

}  // namespace sistem
