#include <unistd.h>

#include <optional>
#include <string>

#include "common/ping.hpp"
#include "common/process/output.hpp"
#include "common/process/tool.hpp"
#include "common/session.hpp"
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
      const std::string topic = config->filters.empty() ? "" : config->filters.front();
      return ping(config->connection, topic, config->qos, output, console, stop);
    }
    std::optional<Recording> recording;
    if (config->record) {  // before anything is connected, so that a bad path is told at once
      recording.emplace(*config->record, config->append ? Recording::Begin::behind : Recording::Begin::anew);
    }
    const auto session = open_session(
        connection_of(*config), console, stop,
        {.at_most = config->takes_at_once(),
         .overflow = config->overflow,
         .times_count = config->verify,
         .acknowledged = config->overflow == Overflow::block ? Acknowledged::when_told : Acknowledged::on_arrival});
    return print_messages(*session, *config, output, console, stop, open_session, recording ? &*recording : nullptr);
  });
}
