#pragma once

#include <string>

#include "common/mqtt/message.hpp"
#include "pub/source/lines.hpp"

namespace sistem {

/// Each line is a message as common/mqtt/record.hpp has it. `pattern` has what a line does not say; a property of the
/// line's own takes the place of the pattern's. An empty line says nothing. `has_properties`: MQTT 5 is spoken;
/// without, a line with properties is a bad one.
[[nodiscard]] ReadLine json_lines(Message pattern, bool has_properties);

/// The same of one line, which is not empty. Throws Expected.
[[nodiscard]] LineMessage read_json_line(const std::string& line, const Message& pattern, bool has_properties);

[[nodiscard]] bool is_blank(const std::string& line);

}  // namespace sistem
