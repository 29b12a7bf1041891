#include "common/paho/admission.hpp"

#include <utility>

namespace sistem {
namespace {

/// At most this many messages, and bytes of them, are on their way through the library to the tool.
constexpr std::size_t passed_limit = 1000;
constexpr std::size_t passed_bytes_limit = 16 << 20;

/// At most this much is read of messages that must wait. After that the broker is no longer read from: TCP pushes back,
/// and the broker queues or drops by its own rules.
constexpr std::size_t held_limit = 1 << 20;

}  // namespace

Admission::Admission(Admits admits, std::optional<std::size_t> at_most, const std::set<std::uint16_t>& known)
    : admits_(admits), at_most_(at_most) {
  for (const std::uint16_t id : known) {
    (void)open_.add(id);
  }
}

Admission::Fate Admission::admit(const Gate::PublishHead& head, std::size_t size) {
  if (!lets_in(head.qos)) {
    return Fate::is_dropped;
  }
  if (head.qos == 2 && open_.has(head.id)) {
    return Fate::is_known;
  }
  if (!held_.empty() || !may_pass()) {
    return Fate::waits;
  }
  if (head.qos == 2) {
    (void)open_.add(head.id);
  }
  pass(size);
  return Fate::passes;
}

void Admission::hold(Message message) {
  held_bytes_ += message.packet.size();
  held_.push_back(std::move(message));
}

std::optional<std::pair<Admission::Message, Admission::Fate>> Admission::next() {
  if (held_.empty() || !may_pass()) {
    return std::nullopt;
  }
  Message message = std::move(held_.front());
  held_.pop_front();
  held_bytes_ -= message.packet.size();
  if (message.head.qos == 2 && !open_.add(message.head.id)) {
    return std::pair{std::move(message), Fate::is_known};
  }
  pass(message.packet.size());
  return std::pair{std::move(message), Fate::passes};
}

void Admission::consumed(std::size_t messages) {
  for (; messages > 0 && !passed_.empty(); --messages) {
    passed_bytes_ -= passed_.front();
    passed_.pop_front();
    if (at_most_) {
      --*at_most_;
    }
  }
}

void Admission::close() {
  admits_ = Admits::none;
  held_.clear();
  held_bytes_ = 0;
}

bool Admission::end_exchange(std::uint16_t id) {
  const bool was_known = open_.has(id);
  open_.remove(id);
  return was_known;
}

bool Admission::may_read(std::size_t unfinished) const {
  // One message alone is read to its end as soon as it could pass, however large it is: before, it cannot pass.
  return held_bytes_ + unfinished < held_limit || without_limit_ || (held_.empty() && may_pass());
}

bool Admission::may_pass() const {
  return passed_.size() < passed_limit && passed_bytes_ < passed_bytes_limit &&
         !(at_most_ && passed_.size() >= *at_most_);
}

void Admission::pass(std::size_t size) {
  passed_.push_back(size);
  passed_bytes_ += size;
}

}  // namespace sistem
