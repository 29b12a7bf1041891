#pragma once

#include <optional>
#include <stop_token>
#include <string>

namespace sistem {

/// Asks on the terminal, without echo, until Enter; nobody else sees what is typed. Nothing where neither stdin nor
/// stderr is a terminal (a service, cron, a pipeline in the background), where the answer is Ctrl-D or a stop was
/// requested. The terminal is left as it was, also on a stop, and what was half typed is not left for the shell to
/// read. Meanwhile Ctrl-Z and Ctrl-\ do nothing: they would leave a terminal without echo.
/// An answer has 4095 bytes at most: the terminal takes no more in one line.
[[nodiscard]] std::optional<std::string> ask_secret(const std::string& question, const std::stop_token& stop);

}  // namespace sistem
