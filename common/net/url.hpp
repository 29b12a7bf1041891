#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sistem {

/// The parts of `scheme://username:password@host:port/path`.
struct Url {
  std::string scheme;  ///< in small letters
  std::optional<std::string> username;
  std::optional<std::string> password;
  std::string host;  ///< an IPv6 address without its brackets
  std::optional<std::uint16_t> port;
  std::string path;  ///< without the slash that begins it
};

/// Takes a URL apart. %XX stands for a byte in user name and password, as RFC 3986 has it; a path is left as it is,
/// because a topic may hold %. Throws Expected, which says that `form` was expected.
[[nodiscard]] Url url_of(std::string_view text, const std::string& form);

}  // namespace sistem
