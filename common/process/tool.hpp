#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "common/process/console.hpp"
#include "common/process/error.hpp"

namespace sistem {

/// Calls `body` and turns whatever it throws into one line on the console and an exit status.
[[nodiscard]] ExitStatus guarded(const Console& console, const std::function<ExitStatus()>& body);

/// The whole life of a tool: from here SIGINT, SIGTERM and SIGHUP request a stop, and the second one ends the process
/// at once with 128+n. A SIGHUP that was being ignored at the start (nohup) stays ignored; the others do not. A stop
/// that takes a second ends the process too, with status 1. `body` runs guarded(), with a console that it may tell to
/// be quiet. The process ends here, without static destructors: destroying a Paho client takes 0.1 to 1 s.
[[noreturn]] void run_tool(const std::string& name,
                           const std::function<ExitStatus(Console&, const std::stop_token&)>& body);

}  // namespace sistem
