#pragma once

namespace sistem {

/// Whether Paho C is linked in without its debugging aids. Distributions build it with them: each allocation goes into
/// a tree, each call of a function onto a list, both behind a mutex that our thread and Paho's share. Publishing takes
/// three times as long by that (Paho C 1.3.14). CMake takes the archive of it where there is one, as in Debian 12 and
/// 13, and paho_lean.cpp has those functions without what makes them slow.
[[nodiscard]] bool paho_is_lean();

}  // namespace sistem
