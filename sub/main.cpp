#include <unistd.h>

#include "common/output.hpp"
#include "common/session.hpp"
#include "common/tool.hpp"
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
    const auto session = open_session(config->connection, console, stop);
    return print_messages(*session, *config, output, console, stop);
  });
}
