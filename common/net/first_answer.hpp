#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sistem {

/// So many bytes tell by what protocol a peer speaks.
inline constexpr std::size_t telling_bytes = 4;

/// What a peer has said first that is not CONNACK, in a few words, with the option that it suggests: "it answers
/// HTTP/1.1 400 Bad Request: --ws?". `bytes` are the first of the connection; nothing if they begin a CONNACK, or are
/// too few to tell.
[[nodiscard]] std::optional<std::string> not_mqtt(std::string_view bytes);

}  // namespace sistem
