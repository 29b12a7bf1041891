#pragma once

#include <string>

#include "pub/source/readings.hpp"
#include "pub/source/source.hpp"
#include "pub/source/source_config.hpp"
#include "pub/source/template.hpp"

namespace sistem {

/// What a template of these options is made with; `purpose` tells it from the others. The readings of the host have
/// their names there, but no values.
[[nodiscard]] TemplateWorld world_of(const SourceConfig& config, const std::string& purpose);

/// Messages like `pattern`, each with another payload and perhaps another topic, without end. Throws UsageError where
/// what is rendered is no legal topic, or larger than it may be.
[[nodiscard]] Source generated(Template topic, Template payload, Message pattern);

/// The source that --template asks for. Readings that it names are measured again where they are older than 0.1 s; the
/// first time takes that long, since some are differences. Throws UsageError for one that this host does not have.
[[nodiscard]] Source template_source(const SourceConfig& config, Message pattern, Readings readings,
                                     const std::stop_token& stop);

}  // namespace sistem
