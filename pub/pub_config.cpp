#include "pub/pub_config.hpp"

#include <fmt/format.h>

#include "common/error.hpp"
#include "common/session.hpp"
#include "common/topic.hpp"

namespace sistem {
namespace {

const ToolText help{
    "pub",
    "Publishes messages to an MQTT broker. Without a topic: what this host measures of itself, each second, "
    "on sistem/cpu, sistem/memori and others, until stopped.",
    "  pub\n"
    "  pub -t sistem/suhu -m '28.0 °C'\n"
    "  seq 1000 | pub -h broker.example -t test/count -l -q 1\n",
    library_versions};

/// Rules between options; a single value is checked where its row sets it.
void check(const PubConfig& config, const Settings& settings) {
  const auto home = [&](const std::string& option) { return settings.home_of(option); };
  if (config.message && config.lines) {
    throw UsageError(
        fmt::format("{} and {}: a message comes from one of them, not both", home("message"), home("stdin-line")));
  }
  const bool has_source = config.message || config.lines;
  if (config.topic && !has_source) {
    throw UsageError(fmt::format(
        "{} needs something to publish: --message, or --stdin-line to publish the lines of stdin", home("topic")));
  }
  if (!config.topic && has_source) {
    throw UsageError(
        fmt::format("{} needs a topic to publish to: --topic", home(config.message ? "message" : "stdin-line")));
  }
}

}  // namespace

std::vector<Option> pub_rows(PubConfig& config) {
  const std::string section = "Publishing";
  const auto topic = [&config](std::string_view value) {
    if (const auto fault = fault_of_topic_name(value)) {
      throw Expected("expected " + *fault);
    }
    config.topic = value;
  };
  std::vector<Option> rows{
      {"topic", 't', "TOPIC", section, "Topic name to publish to.", topic},
      {"message", 'm', "PAYLOAD", section, "Publish this one message.", text(config.message)},
      {"stdin-line", 'l', "", section, "Publish each line of stdin as a message, as it comes.", flag(config.lines)},
      {"qos", 'q', "QOS", section,
       "0: at most once (the default), 1: at least once, 2: exactly once. With 1 and 2 pub ends when the broker has "
       "acknowledged everything.",
       number(config.qos, 0, 2, "expected 0, 1 or 2")},
      {"retain", 'r', "", section, "The broker keeps the last message of a topic for those who subscribe later.",
       flag(config.retain)},
  };
  for (Option& row : connection_rows(config.connection)) {
    rows.push_back(std::move(row));
  }
  return rows;
}

std::optional<PubConfig> read_pub_config(const Sources& sources, Output& output) {
  PubConfig config;
  config.connection.client_id_prefix = help.name;
  const Settings settings = read_settings(pub_rows(config), help, sources);
  if (settings.shown) {
    output.write(*settings.shown);
    output.flush();
    return std::nullopt;
  }
  check(config, settings);
  if (config.publishes_readings()) {
    config.interval = std::chrono::seconds{1};
  }
  if (config.message) {
    // One message is waited for by a script: it should hear of a broker that has gone for good.
    config.connection.reconnect_limit = std::chrono::seconds{30};
  }
  return config;
}

}  // namespace sistem
