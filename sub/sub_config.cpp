#include "sub/sub_config.hpp"

#include "common/session.hpp"
#include "common/topic.hpp"

namespace sistem {
namespace {

const ToolText help{"sub",
                    "Prints the messages that an MQTT broker sends for topic filters. Without one: sistem/#, each "
                    "message as its topic and its payload.",
                    "  sub\n"
                    "  sub -t 'sistem/+' -v\n"
                    "  sub -h broker.example -t test/count -q 1 -C 1000 -W 30 > counted.txt\n",
                    library_versions};

}  // namespace

std::vector<Option> sub_rows(SubConfig& config) {
  const std::string section = "Subscribing";
  const auto filter = [&config](std::string_view value) {
    if (const auto fault = fault_of_topic_filter(value)) {
      throw Expected("expected " + *fault);
    }
    config.filters.emplace_back(value);
  };
  std::vector<Option> rows{
      {"topic", 't', "FILTER", section,
       "Topic filter to subscribe to; may be repeated. + stands for one level, # at the end for all the rest.", filter,
       [&config] { config.filters.clear(); }},
      {"qos", 'q', "QOS", section, "The highest QoS that messages may arrive with: 0 (the default), 1 or 2.",
       number(config.qos, 0, 2, "expected 0, 1 or 2")},
      {"verbose", 'v', "", section, "Print the topic and a space before each payload.", flag(config.verbose)},
      {"count", 'C', "N", section, "End with status 0 after N messages.",
       number(config.count, 1, 1'000'000'000'000'000)},
      {"timeout", 'W', "SECONDS", section, "End with status 27 so long after the broker granted the subscriptions.",
       seconds(config.timeout)},
  };
  for (Option& row : connection_rows(config.connection)) {
    rows.push_back(std::move(row));
  }
  return rows;
}

std::optional<SubConfig> read_sub_config(const Sources& sources, Output& output) {
  SubConfig config;
  config.connection.client_id_prefix = help.name;
  const Settings settings = read_settings(sub_rows(config), help, sources);
  if (settings.shown) {
    output.write(*settings.shown);
    output.flush();
    return std::nullopt;
  }
  if (config.filters.empty()) {
    config.filters = {"sistem/#"};
    config.verbose = true;
  }
  return config;
}

}  // namespace sistem
