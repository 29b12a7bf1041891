#include "pub/presence.hpp"

#include <chrono>

#include "common/process/error.hpp"
#include "pub/pace/pacer.hpp"

namespace sistem {
namespace {

/// What cannot be said in that time is not said: a tool ends within a second.
constexpr std::chrono::duration<double> patience{0.3};

}  // namespace

Presence::Presence(const Will& will)
    : online_{will.topic, "online", will.qos, will.retain}, offline_{will.topic, will.payload, will.qos, will.retain} {}

bool Presence::announce(Session& session, const std::stop_token& stop) {
  const std::uint64_t connection = session.connections();
  if (connection != told_on_ && !session.publish(online_, stop)) {
    return false;
  }
  told_on_ = connection;
  return true;
}

void Presence::leave(Session& session) {
  if (told_on_ == 0 || !session.connected()) {
    return;
  }
  try {
    const TimeLimit limit{{}, deadline_in(patience)};
    if (session.publish(offline_, limit.token())) {
      (void)session.flush(limit.token());
    }
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): see above
  }
}

}  // namespace sistem
