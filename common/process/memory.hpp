#pragma once

#include <string>

namespace sistem {

/// From here on memory that is not to be had ends the process with a word of this tool and status 1, whichever thread
/// wants it: nothing that is left could go on, and Paho C does not ask whether it has got any.
void end_where_memory_is_short(const std::string& tool);

/// Ends it so.
[[noreturn]] void memory_is_short();

}  // namespace sistem
