#include <unistd.h>

#include <optional>

#include "common/output.hpp"
#include "common/ping.hpp"
#include "common/session.hpp"
#include "common/tool.hpp"
#include "sub/recording.hpp"
#include "sub/sub_config.hpp"
#include "sub/subscriber.hpp"

int main(int argc, char** argv) {
  using namespace sistem;
  run_tool("sub", [&](Console& console, const std::stop_token& stop) {
    Output output{STDOUT_FILENO, stop};
    const auto config = read_sub_config(process_sources(argc, argv, stop), output, console);
    if (!config) {
      return ExitStatus::success;
    }
    console.obey(config->connection.debug, config->connection.quiet);
    if (config->connection.ping) {
      const Deadline deadline = deadline_in(*config->connection.answer_limit);
      const auto session = open_session(config->connection, console, stop);
      const std::string topic = config->filters.empty() ? "" : config->filters.front();
      return ping(*session, topic, config->qos, deadline, output, console, stop);
    }
    std::optional<Recording> recording;
    if (config->record) {  // before anything is connected, so that a bad path is told at once
      recording.emplace(*config->record, config->append ? Recording::Begin::behind : Recording::Begin::anew);
    }
    const auto session =
        open_session(config->connection, console, stop, {config->takes_at_once(), config->overflow, config->verify});
    return print_messages(*session, *config, output, console, stop, open_session, recording ? &*recording : nullptr);
  });
}
