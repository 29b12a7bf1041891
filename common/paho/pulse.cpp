#include "common/paho/pulse.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace sistem {
namespace {

std::int64_t seconds(Deadline::duration time) { return std::chrono::round<std::chrono::seconds>(time).count(); }

}  // namespace

void Pulse::pinged() {
  pinged_bytes_ = pinged_ ? pinged_bytes_ : sent_bytes_;
  pinged_ = pinged_.value_or(last_sent_);
}

Pulse::Finding Pulse::examine(const Facts& facts) {
  if (keep_alive_.count() == 0) {
    return {};
  }
  if (!facts.reads) {
    alive_ = facts.now;  // an answer could not be seen
  }
  if (facts.now - alive_ < keep_alive_) {
    return {};
  }
  if (facts.has_unsent) {  // no ping gets through, but bytes that leave tell the same
    if (facts.now - last_sent_ >= keep_alive_ * 3 / 2) {
      return {Act::give_up, fmt::format("the broker has read nothing for {} s", seconds(facts.now - last_sent_))};
    }
    return {};
  }
  if (!pinged_) {
    // A while after the library would send one, were there nothing else to send.
    return {facts.now - alive_ >= keep_alive_ * 3 / 2 ? Act::ping : Act::nothing};
  }
  return examine_ping(facts);
}

Pulse::Finding Pulse::examine_ping(const Facts& facts) {
  const std::uint64_t acknowledged = sent_bytes_ - std::min(sent_bytes_, facts.queued());
  if (acknowledged > std::exchange(acknowledged_bytes_, acknowledged) && acknowledged < pinged_bytes_) {
    moved_ = facts.now;  // a slow network has the ping yet
  }
  // The answer may also stand behind one large message that began before.
  const bool is_behind = facts.is_in_packet && begun_ <= *pinged_ && facts.now - facts.last_arrival < keep_alive_;
  if (is_behind || facts.now - std::max({*pinged_, alive_, moved_}) < keep_alive_) {
    return {};
  }
  return {Act::give_up, words_on_ping(facts.now)};
}

std::string Pulse::words_on_ping(Deadline now) const {
  return pinged_ ? fmt::format("no answer to a ping for {} s", seconds(now - *pinged_)) : "";
}

}  // namespace sistem
