#include "pub/stamper.hpp"

#include <fmt/format.h>

#include <utility>

#include "common/mqtt/topic.hpp"
#include "common/process/error.hpp"

namespace sistem {

Stamper::Stamper(std::string publisher, ProtocolVersion version, Moment begin)
    : publisher_(std::move(publisher)),
      place_(version == ProtocolVersion::v5 ? StampPlace::properties : StampPlace::payload),
      begin_(begin) {}

Stamp::Time Stamper::on_the_wall(Deadline time) const {
  return begin_.wall + std::chrono::duration_cast<Stamp::Time::duration>(time - begin_.steady);
}

bool Stamper::takes(const Message& message) const {
  return place_ == StampPlace::properties || !message.retain || !message.payload.empty();
}

void Stamper::stamp(Deadline now, std::optional<Deadline> due, Message& message) {
  end_ = {.topic = message.topic, .qos = message.qos};
  const auto due_on_the_wall = due ? std::optional(on_the_wall(*due)) : std::nullopt;
  put_stamp({publisher_, count_ + 1, on_the_wall(now), due_on_the_wall}, place_, message);
}

Message Stamper::end(Deadline now) const {
  Message message = end_;
  put_stamp_end({publisher_, count_, on_the_wall(now)}, place_, message);
  return message;
}

std::optional<ClockOffset> Stamper::ask_for_offset(Session& session, const std::string& topic,
                                                   const std::stop_token& stop) const {
  constexpr int rounds = 16;
  using Clock = std::chrono::steady_clock;
  // Below the topic, so that who may publish and read there may do so here; an answer says by its property what it is.
  const std::string answers = topic + "/clock/" + without_wildcards(session.client_id());
  if (const Grant grant = session.subscribe({{.filter = answers}}, stop).front(); !grant.qos) {
    throw Error{fmt::format("the broker refused the subscription to {}: {}", answers, grant.why),
                ExitStatus::topic_refused};
  }
  std::optional<ClockOffset> best;
  const Deadline end = Clock::now() + std::chrono::seconds(1);
  for (int round = 0; round < rounds; ++round) {
    if (!session.publish(clock_question(topic, answers, on_the_wall(Clock::now())), stop)) {
      return best;
    }
    bool is_answered = false;
    while (!is_answered && Clock::now() < end && !stop.stop_requested()) {
      for (const Message& message : session.receive(end, stop)) {
        const auto offset = offset_of(message, on_the_wall(message.arrival_steady));
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
