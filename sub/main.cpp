#include <unistd.h>

#include <optional>
#include <string>

#include "common/mqtt/property.hpp"
#include "common/ping.hpp"
#include "common/process/output.hpp"
#include "common/process/tool.hpp"
#include "common/session.hpp"
#include "sub/recording.hpp"
#include "sub/sub_config.hpp"
#include "sub/subscriber.hpp"

namespace sistem {
namespace {

/// Whether each message that arrives is one of those that -C counts.
bool counts_all(const SubConfig& config) {
  return config.match.empty() && config.json_match.empty() && config.filter_out.empty() && !config.skip_retained &&
         !config.retained_only && !config.unique && config.every == 1 && config.random_filter >= 100 && !config.verify;
}

/// In MQTT 5 the broker is told how many messages of QoS 1 and 2 are wanted, so that it does not begin to deliver
/// others [MQTT5 3.1.2.11.3]. Where some do not count it is not: one after the other they would take too long.
ConnectionConfig connection_of(const SubConfig& config) {
  constexpr std::size_t most = 65535;
  ConnectionConfig connection = config.connection;
  const std::size_t wanted = config.wanted().value_or(most);
  const auto given = properties_for(PropertyPlace::connect, connection.properties);
  if (connection.version == ProtocolVersion::v5 && wanted > 0 && wanted < most && counts_all(config) &&
      config.overflow == Overflow::block && !number_in(given, "receive-maximum")) {
    connection.properties.push_back(placed_property({"connect", "receive-maximum", std::to_string(wanted)}));
  }
  return connection;
}

}  // namespace
}  // namespace sistem

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
      const auto session = open_session(config->connection, console, stop, {.takes = Takes::only_qos_0});
      const std::string topic = config->filters.empty() ? "" : config->filters.front();
      return ping(*session, topic, config->qos, is_kept(config->connection), deadline, output, console, stop);
    }
    std::optional<Recording> recording;
    if (config->record) {  // before anything is connected, so that a bad path is told at once
      recording.emplace(*config->record, config->append ? Recording::Begin::behind : Recording::Begin::anew);
    }
    const auto session = open_session(connection_of(*config), console, stop,
                                      {config->takes_at_once(), config->overflow, config->verify});
    return print_messages(*session, *config, output, console, stop, open_session, recording ? &*recording : nullptr);
  });
}
