#pragma once

#include <map>
#include <stop_token>
#include <string>

#include "common/process/stop.hpp"

namespace sistem {

class Channel;

/// How a server answers a request whose answer has no body: a proxy's to CONNECT, a WebSocket's to its upgrade.
struct HttpAnswer {
  int status = 0;
  std::string status_line;                     ///< "HTTP/1.1 403 Forbidden"
  std::map<std::string, std::string> headers;  ///< by their names in small letters
};

/// Sends a request and reads the answer up to the empty line after its headers, and not a byte more. Throws
/// Unreachable, which calls the server `whom`.
[[nodiscard]] HttpAnswer http_exchange(Channel& channel, const std::string& request, const std::string& whom,
                                       Deadline deadline, const std::stop_token& stop);

}  // namespace sistem
