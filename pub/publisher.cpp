#include "pub/publisher.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <utility>

namespace sistem {
namespace {

/// What a stop left behind, in messages.
struct Left {
  std::uint64_t unpublished = 0;
  std::optional<std::uint64_t> unacknowledged;  ///< nothing: they were not waited for yet

  [[nodiscard]] bool nothing() const { return unpublished == 0 && !unacknowledged; }
};

/// Publishes a message as often as it was asked for.
Left publish_repeatedly(Session& session, Message message, const PubConfig& config, const std::stop_token& stop) {
  const bool has_delay = config.repeat_delay > config.repeat_delay.zero();
  for (std::uint64_t left = config.repeat; left > 1; --left) {
    if (!session.publish(message, stop)) {
      return {left};
    }
    if (const std::size_t unacknowledged = has_delay ? session.flush(stop) : 0; unacknowledged > 0) {
      return {left - 1, unacknowledged};
    }
    if (has_delay ? !sleep_until(deadline_in(config.repeat_delay), stop) : stop.stop_requested()) {
      return {left - 1};
    }
  }
  return {session.publish(std::move(message), stop) ? 0U : 1U};
}

/// Publishes one turn.
Left publish_turn(Session& session, std::vector<Message> turn, const PubConfig& config, Output& output,
                  const std::stop_token& stop) {
  for (std::size_t at = 0; at < turn.size(); ++at) {
    const std::string line =
        config.publishes_readings() ? fmt::format("{} {}\n", turn[at].topic, turn[at].payload) : "";
    if (Left left = publish_repeatedly(session, std::move(turn[at]), config, stop); !left.nothing()) {
      left.unpublished += (turn.size() - at - 1) * config.repeat;
      return left;
    }
    output.write(line);
  }
  output.flush();
  return {};
}

}  // namespace

ExitStatus publish_all(Session& session, Source& source, Pacer& pacer, const PubConfig& config, Output& output,
                       const Console& console, const std::stop_token& stop) {
  Left left;
  try {
    if (config.publishes_readings()) {
      console.note(fmt::format("connected to {}, publishing on sistem/... each second; Ctrl-C ends", session.broker()));
    }
    // A message that came with the command is taken even if a stop was faster: to end with 0 without it would be a lie.
    bool at_hand = !config.publishes_readings() && !config.is_stream();
    const auto started = std::chrono::steady_clock::now();
    while (left.nothing() && (pacer.wait(stop) || at_hand)) {
      at_hand = false;
      auto turn = source({std::chrono::steady_clock::now() - started, std::chrono::system_clock::now()}, stop).messages;
      if (turn.empty()) {
        break;
      }
      if (config.publishes_readings() && !session.connected()) {
        continue;  // by the time there is a broker again, these readings are none any more
      }
      left = publish_turn(session, std::move(turn), config, output, stop);
      if (config.generates()) {
        break;
      }
    }
  } catch (...) {
    // What was accepted before the fault is not lost by it, unless the session itself is.
    (void)session.flush(stop);
    session.disconnect();
    throw;
  }
  if (!left.unacknowledged) {  // a second wait after a stop would make it take too long
    left.unacknowledged = session.flush(stop);
  }
  session.disconnect();
  if (const std::uint64_t sum = left.unpublished + *left.unacknowledged; sum > 0) {
    console.note(
        fmt::format("stopped: {} {} not published and acknowledged", sum, sum == 1 ? "message was" : "messages were"));
    return ExitStatus::failure;
  }
  return ExitStatus::success;
}

}  // namespace sistem
