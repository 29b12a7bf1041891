#include "sub/subscriber.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sistem {
namespace {

using namespace std::chrono_literals;

/// How often a quiet sub looks whether its reader is still there.
constexpr auto look_at_reader = 1s;

/// True where every filter was granted. Throws Error where the run makes no sense without the refused ones.
bool subscribe_all(Session& session, const SubConfig& config, const Console& console, const std::stop_token& stop) {
  std::vector<Subscription> subscriptions;
  for (const std::string& filter : config.filters) {
    subscriptions.push_back({filter, config.qos});
  }
  std::string granted;
  std::string refused;
  for (const Grant& grant : session.subscribe(subscriptions, stop)) {
    std::string& list = grant.qos ? granted : refused;
    list += list.empty() ? "" : ", ";
    list += grant.qos ? fmt::format("{} (QoS {})", grant.filter, *grant.qos) : grant.filter;
  }
  if (!refused.empty()) {
    const std::string what = fmt::format("the broker refused the subscription to {}", refused);
    if (granted.empty() || config.count) {
      throw Error{what, ExitStatus::topic_refused};
    }
    console.note(what);
  }
  console.note(
      fmt::format("connected to {}, subscribed to {}", place(config.connection.host, config.connection.port), granted));
  return refused.empty();
}

void print(const Message& message, bool with_topic, Output& output) {
  if (with_topic) {
    output.write(message.topic);
    output.write(" ");
  }
  output.write(message.payload);
  output.write("\n");
}

}  // namespace

ExitStatus print_messages(Session& session, const SubConfig& config, Output& output, const Console& console,
                          const std::stop_token& stop) {
  const bool all_granted = subscribe_all(session, config, console, stop);
  const Deadline deadline = config.timeout ? deadline_in(*config.timeout) : never;
  std::size_t printed = 0;
  const auto wanted = [&] { return !config.count || printed < *config.count; };
  while (wanted() && !stop.stop_requested() && std::chrono::steady_clock::now() < deadline) {
    for (const Message& message : session.receive(std::min(deadline, deadline_in(look_at_reader)), stop)) {
      if (wanted()) {
        print(message, config.verbose, output);
        ++printed;
      }
    }
    output.flush();
    if (output.closed()) {
      throw OutputClosed{};
    }
  }
  session.disconnect();
  if (config.count && !wanted()) {
    return ExitStatus::success;
  }
  const std::string tally = config.count ? fmt::format("{} of {} messages", printed, *config.count)
                                         : fmt::format("{} {}", printed, printed == 1 ? "message" : "messages");
  if (!stop.stop_requested()) {
    console.note(fmt::format("time is up after {}", tally));
    return ExitStatus::timed_out;
  }
  if (config.count) {
    console.note(fmt::format("stopped after {}", tally));
    return ExitStatus::failure;
  }
  return all_granted ? ExitStatus::success : ExitStatus::topic_refused;
}

}  // namespace sistem
