#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>

namespace sistem {

/// The content of a password file without the line end (LF or CR LF) that closes it; any bytes else, NUL too.
/// `file` may be a pipe, as `<(pass show broker)` is: then it waits for the other end.
/// Throws Expected (what follows "--password-file: ") where it cannot be read, is empty, is neither a regular file nor
/// a pipe, is longer than a password of MQTT can be [MQTT-3.1.3.5], or if its mode lets its group or others at it: then
/// the sentence gives the chmod to run and the option that overrides, which is `open_to_others_is_fine`.
[[nodiscard]] std::string read_secret(const std::filesystem::path& file, bool open_to_others_is_fine);

/// Whether a file lies where Docker and Kubernetes mount the secrets of one container, links resolved: only what runs
/// in that container can see it, whatever its mode (Docker's is 0444, Kubernetes' 0644).
[[nodiscard]] bool is_mounted_secret(const std::filesystem::path& file);

/// Asks on the terminal, without echo, until Enter; nobody else sees what is typed. Nothing where neither stdin nor
/// stderr is a terminal (a service, cron, a pipeline in the background), where the answer is Ctrl-D or a stop was
/// requested. The terminal is left as it was, also on a stop, and what was half typed is not left for the shell to
/// read. Meanwhile Ctrl-Z and Ctrl-\ do nothing: they would leave a terminal without echo.
/// An answer has 4095 bytes at most: the terminal takes no more in one line.
[[nodiscard]] std::optional<std::string> ask_secret(const std::string& question, const std::stop_token& stop);

}  // namespace sistem
