#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/options/settings.hpp"
#include "pub/pub_config.hpp"

namespace sistem {

/// The rows of those sources that mosquitto_pub does not have, and of all that says more of a source. `source` is the
/// group of the options that say what is published.
[[nodiscard]] std::vector<Option> source_rows(PubConfig& config, const std::string& source);

/// The options that say what is published, but for the host's readings.
inline constexpr std::string_view sources_but_readings =
    "message null-message file stdin-file stdin-line topic-lines jsonl template replay";

/// What a source needs that does not bring its topics.
inline constexpr Rule to_a_topic{.options = "topic", .what = "a topic to publish to"};

/// The rules of templates, and of the topic, which may be one. Throws UsageError, as all do.
void check_topic_and_templates(const PubConfig& config, const Settings& settings);

/// The rules of what is published, beside those. `drop_in_for` is the tool that always wants a topic.
void check_source(PubConfig& config, const Settings& settings, const std::string& drop_in_for);

}  // namespace sistem
