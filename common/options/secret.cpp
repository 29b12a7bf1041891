#include "common/options/secret.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>

#include "common/options/settings.hpp"
#include "common/process/descriptor.hpp"

namespace sistem {
namespace {

constexpr std::size_t longest_secret = 65'535;  // binary data has two bytes of length [MQTT5 1.5.6]
constexpr std::string_view longest_line_end = "\r\n";

Expected unreadable() { return Expected(fmt::format("expected a file that can be read ({})", std::strerror(errno))); }

/// As a shell takes it for one word.
std::string quoted(const std::string& word) {
  const auto is_plain = [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("/._-+:@%").find(static_cast<char>(c)) != std::string_view::npos;
  };
  if (!word.starts_with('-') && std::all_of(word.begin(), word.end(), is_plain)) {
    return word;
  }
  std::string quoted = word.starts_with('-') ? "'./" : "'";
  for (const char c : word) {
    quoted += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return quoted + "'";
}

}  // namespace

std::string read_secret(const std::filesystem::path& file, bool open_to_others_is_fine) {
  const Descriptor opened{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)};
  struct stat status {};
  if (opened.get() < 0 || ::fstat(opened.get(), &status) != 0) {  // of what was opened: it is what will be read
    throw unreadable();
  }
  if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode)) {
    throw Expected("expected a file or a pipe");
  }
  const bool open_to_others = S_ISREG(status.st_mode) && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0;
  if (open_to_others && !open_to_others_is_fine && !is_mounted_secret(file)) {
    throw Expected(
        fmt::format("expected a file that only you can read: run chmod 600 {}, or give --allow-readable-secrets",
                    quoted(file.string())));
  }
  auto bytes = read_to_end(opened.get(), longest_secret + longest_line_end.size());
  if (!bytes) {
    throw unreadable();
  }
  std::string secret = std::move(*bytes);
  if (secret.ends_with('\n')) {
    secret.pop_back();
    if (secret.ends_with('\r')) {
      secret.pop_back();
    }
  }
  if (secret.empty()) {
    throw Expected("expected a file with a password in it, and this one is empty");
  }
  if (secret.size() > longest_secret) {
    throw Expected(fmt::format("expected a password of at most {} bytes", longest_secret));
  }
  return secret;
}

bool is_mounted_secret(const std::filesystem::path& file) {
  std::error_code unresolved;
  const std::filesystem::path resolved = std::filesystem::weakly_canonical(file, unresolved);
  // /var/run is a link to /run, but not in every image.
  return !unresolved &&
         (resolved.string().starts_with("/run/secrets/") || resolved.string().starts_with("/var/run/secrets/"));
}

}  // namespace sistem
