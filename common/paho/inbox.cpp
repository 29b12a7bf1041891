#include "common/paho/inbox.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace sistem {
namespace {

/// At most this many messages and bytes of their payloads wait where too many are dropped.
constexpr std::size_t most = 1000;
constexpr std::size_t most_bytes = 16 << 20;

}  // namespace

void Inbox::put(Message message) {
  last_arrival_ = std::max(last_arrival_, message.arrival_steady);
  message.arrival_steady = last_arrival_;
  arrivals_.push_back(std::move(message));
  if (drops()) {
    bytes_ += arrivals_.back().payload.size();
    ++unknown_to_wire_;
    drop_what_is_too_much();
  }
}

/// One that is larger than all that may wait is alone here.
void Inbox::drop_what_is_too_much() {
  while (arrivals_.size() > most || (bytes_ > most_bytes && arrivals_.size() > 1)) {
    const bool oldest = overflow_ == Overflow::drop_oldest;
    bytes_ -= (oldest ? arrivals_.front() : arrivals_.back()).payload.size();
    if (oldest) {
      arrivals_.pop_front();
    } else {
      arrivals_.pop_back();
    }
    --unknown_to_wire_;
    ++dropped_;
  }
}

Inbox::Taken Inbox::take() {
  const auto ids = unwritten_waiting();
  given_.insert(given_.end(), ids.begin(), ids.end());
  of_another_session_ = 0;
  auto arrivals = std::exchange(arrivals_, {});
  bytes_ = 0;
  const std::size_t unknown = std::exchange(unknown_to_wire_, 0);
  if (left_) {
    *left_ -= std::min(*left_, arrivals.size());
  }
  return {{std::move_iterator(arrivals.begin()), std::move_iterator(arrivals.end())}, arrivals.size() - unknown};
}

std::vector<std::uint16_t> Inbox::unwritten_waiting() const {
  std::vector<std::uint16_t> ids;
  if (counts_ == Counts::nothing) {
    return ids;
  }
  for (std::size_t at = of_another_session_; at < arrivals_.size(); ++at) {
    if (arrivals_[at].qos > 0) {
      ids.push_back(arrivals_[at].packet_id);
    }
  }
  return ids;
}

std::set<std::uint16_t> Inbox::unwritten() const {
  const auto waiting = unwritten_waiting();
  std::set<std::uint16_t> all{given_.begin(), given_.end()};
  all.insert(waiting.begin(), waiting.end());
  return all;
}

void Inbox::forget_session() {
  half_received_.clear();
  given_.clear();
  of_another_session_ = arrivals_.size();
}

std::optional<std::size_t> Inbox::left_for_wire() const {
  return left_ ? std::optional(*left_ - std::min(*left_, unknown_to_wire_)) : std::nullopt;
}

}  // namespace sistem
