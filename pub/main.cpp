#include <unistd.h>

#include "common/ping.hpp"
#include "common/process/output.hpp"
#include "common/process/tool.hpp"
#include "common/session.hpp"
#include "pub/clients.hpp"
#include "pub/pub_config.hpp"
#include "pub/publisher.hpp"
#include "pub/requester.hpp"

int main(int argc, char** argv) {
  using namespace sistem;
  const auto part = ClientPart::of_this_process();
  run_tool(part ? part->tool_name() : "pub", [&](Console& console, const std::stop_token& stop) {
    Output output{STDOUT_FILENO, stop};
    auto config =
        read_pub_config(part ? part->sources(argc, argv) : process_sources(argc, argv, stop), output, console);
    if (!config) {
      return ExitStatus::success;
    }
    console.obey(config->connection.debug, config->connection.quiet);
    if (config->connection.ping) {
      return ping(config->connection, config->topic.value_or(""), config->qos, output, console, stop);
    }
    if (part) {
      part->take_on(*config);
    } else if (config->clients > 1) {
      return run_clients(argv, *config, output, console, stop);
    }
    settle(*config);
    Source source = source_of(*config, config->connection, console, stop);
    Pacer pacer = pacer_of(*config);
    const bool hears = config->request || config->clock_topic;
    const auto session =
        open_session(config->connection, console, stop, {.takes = hears ? Takes::only_qos_0 : Takes::none});
    if (config->request) {
      return request_all(*session, source, *config, output, console, stop);
    }
    return publish_all(*session, source, pacer, *config, output, console, stop);
  });
}
