#include "pub/presence.hpp"

#include <chrono>
#include <thread>
#include <utility>

#include "common/process/error.hpp"

namespace sistem {
namespace {

/// What cannot be said in that time is not said: a tool ends within a second.
constexpr std::chrono::duration<double> patience{0.3};

}  // namespace

PresentSession::PresentSession(Session& session, const Will& will)
    : session_(session),
      online_{will.topic, "online", will.qos, will.retain},
      offline_{will.topic, will.payload, will.qos, will.retain} {}

bool PresentSession::publish(Message message, const std::stop_token& stop, Next next) {
  if (const std::uint64_t connection = session_.connections(); connection != told_on_) {
    if (!session_.publish(online_, stop)) {
      return false;
    }
    told_on_ = connection;
  }
  return session_.publish(std::move(message), stop, next);
}

void PresentSession::disconnect() {
  if (told_on_ != 0 && session_.connected()) {
    told_on_ = 0;
    std::stop_source enough;
    const std::jthread timer([&](const std::stop_token& cancelled) {
      if (sleep_until(deadline_in(patience), cancelled)) {
        enough.request_stop();
      }
    });
    try {
      if (session_.publish(offline_, enough.get_token())) {
        (void)session_.flush(enough.get_token());
      }
    } catch (const Error&) {
      // The run has ended, and how is known already; the broker publishes the will where it does not hear of this.
    }
  }
  session_.disconnect();
}

}  // namespace sistem
