#include "pub/stamper.hpp"

#include <utility>

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

void Stamper::stamp(Deadline now, std::optional<Deadline> due, Message& message) const {
  const auto due_on_the_wall = due ? std::optional(on_the_wall(*due)) : std::nullopt;
  put_stamp({publisher_, count_ + 1, on_the_wall(now), due_on_the_wall}, place_, message);
}

Message Stamper::end(const std::string& topic, int qos, Deadline now) const {
  Message message{.topic = topic, .qos = qos};
  put_stamp_end({publisher_, count_, on_the_wall(now)}, place_, message);
  return message;
}

}  // namespace sistem
