#include "pub/publisher.hpp"

#include <fmt/format.h>

#include <utility>

namespace sistem {
namespace {

/// Publishes one turn; how many of its messages a stop left behind.
std::size_t publish_turn(Session& session, std::vector<Message> turn, bool print, Output& output,
                         const std::stop_token& stop) {
  for (std::size_t at = 0; at < turn.size(); ++at) {
    const std::string line = print ? fmt::format("{} {}\n", turn[at].topic, turn[at].payload) : "";
    if (!session.publish(std::move(turn[at]), stop)) {
      return turn.size() - at;
    }
    output.write(line);
  }
  output.flush();
  return 0;
}

}  // namespace

ExitStatus publish_all(Session& session, Source& source, Pacer& pacer, const PubConfig& config, Output& output,
                       const Console& console, const std::stop_token& stop) {
  std::size_t left = 0;
  try {
    if (config.publishes_readings()) {
      console.note(fmt::format("connected to {}, publishing on sistem/... each second; Ctrl-C ends",
                               place(config.connection.host, config.connection.port)));
    }
    while (left == 0 && pacer.wait(stop)) {
      auto turn = source(stop);
      if (turn.empty()) {
        break;
      }
      if (config.publishes_readings() && !session.connected()) {
        continue;  // by the time there is a broker again, these readings are none any more
      }
      left = publish_turn(session, std::move(turn), config.publishes_readings(), output, stop);
    }
  } catch (...) {
    // What was accepted before the fault is not lost by it, unless the session itself is.
    (void)session.flush(stop);
    session.disconnect();
    throw;
  }
  left += session.flush(stop);
  session.disconnect();
  if (left > 0) {
    console.note(fmt::format("stopped: {} {} not published and acknowledged", left,
                             left == 1 ? "message was" : "messages were"));
    return ExitStatus::failure;
  }
  return ExitStatus::success;
}

}  // namespace sistem
