#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/settings.hpp"
#include "pub/pub_config.hpp"

namespace sistem {

/// The rows of those sources that mosquitto_pub does not have, and of all that says more of a source. `source` is the
/// group of the options that say what is published.
[[nodiscard]] std::vector<Option> source_rows(PubConfig& config, const std::string& source);

/// The one option that says what is published, or nothing.
[[nodiscard]] std::optional<std::string> source_given(const Settings& settings);

/// The rules of templates, and of the topic, which may be one. Throws UsageError, as all do.
void check_topic_and_templates(const PubConfig& config, const Settings& settings);

/// The rules of what is published, beside those. `drop_in_for` is the tool that always wants a topic.
void check_source(PubConfig& config, const Settings& settings, const std::string& drop_in_for);

}  // namespace sistem
