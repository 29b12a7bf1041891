#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/connection_config.hpp"
#include "common/options/settings.hpp"

namespace sistem {

/// The rows that both tools share. `not_with_ping`: what else of the tool a ping does not do.
[[nodiscard]] std::vector<Option> connection_rows(ConnectionConfig& config, std::vector<Rule> not_with_ping);

/// The rules between those options; gives those their values that follow from others, and reads the files of secrets.
/// Says on the console what is allowed and unwise. Throws UsageError.
void check_connection(ConnectionConfig& config, Settings& settings, const Console& console);

/// Refuses properties for packets that this tool never sends. Throws UsageError.
void check_places(const ConnectionConfig& config, const Settings& settings, const std::string& tool,
                  const std::vector<PropertyPlace>& never);

/// Asks for the password where a user name was typed without one and there is somebody to ask.
void ask_for_password(ConnectionConfig& config, const Settings& settings, const Sources& sources);

/// Reads a tool's config from all homes: `rows` lists its table, `check` has its rules. Nothing where something was to
/// be shown, as by --help, and is written to `output`. Throws UsageError.
template <typename Config>
[[nodiscard]] std::optional<Config> read_config(const ToolText& text, std::vector<Option> (*rows)(Config&),
                                                void (*check)(Config&, Settings&, const Console&),
                                                const Sources& sources, Output& output, const Console& console) {
  Config config;
  config.connection.client_id_prefix = text.name;
  const auto check_this = [&](Settings& settings) { check(config, settings, console); };
  const auto settings = read_settings({text, rows(config), check_this}, sources, output, console);
  if (!settings) {
    return std::nullopt;
  }
  ask_for_password(config.connection, *settings, sources);
  return config;
}

}  // namespace sistem
