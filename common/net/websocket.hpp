#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "common/process/stop.hpp"

namespace sistem {

class Channel;

/// What a frame of a WebSocket holds [RFC 6455 5.2].
enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

/// One frame as a client sends it, masked [RFC 6455 5.3].
[[nodiscard]] std::string framed(Opcode opcode, std::string_view payload, const std::array<unsigned char, 4>& mask);

/// Takes the frames of a server apart, which come in pieces of any size.
class Unframer {
 public:
  /// What a server says beside its data: close, ping, pong.
  struct Control {
    Opcode opcode;
    std::string payload;
  };

  /// Appends the data in `bytes` to `data`; MQTT does not care where its frames begin and end [MQTT-6.0.0-2]. Gives the
  /// control frames that end in it. Throws Malformed for what no server may send.
  [[nodiscard]] std::vector<Control> take(std::string_view bytes, std::string& data);

 private:
  std::string header_;  ///< of a frame, while it is not all there
  Opcode opcode_ = Opcode::binary;
  std::uint64_t left_ = 0;  ///< bytes of the frame's payload that have not come
  bool in_payload_ = false;
  std::string control_;
};

/// Why the server has closed the WebSocket, by the payload of its close frame [RFC 6455 5.5.1, 7.4.1]: "it closed the
/// WebSocket with status 1008 (policy violation): too many clients".
[[nodiscard]] std::string words_on_close(std::string_view payload);

/// Asks the server at the other end for a WebSocket that carries MQTT [RFC 6455 4.1]. `host` goes into the Host header.
/// Throws Unreachable, which says who refused what.
void open_websocket(Channel& channel, const std::string& host, const std::string& path, Deadline deadline,
                    const std::stop_token& stop);

}  // namespace sistem
