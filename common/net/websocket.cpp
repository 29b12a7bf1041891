#include "common/net/websocket.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>

#include "common/mqtt/protocol.hpp"
#include "common/net/peer.hpp"
#include "common/text/encoding.hpp"
#include "common/text/random.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

constexpr unsigned char last_of_message = 0x80;
constexpr unsigned char masked = 0x80;
constexpr std::size_t longest_control = 125;

/// How many bytes a header has that begins so; 2 while its second byte is not there.
std::size_t header_size(std::string_view header) {
  if (header.size() < 2) {
    return 2;
  }
  const unsigned length = static_cast<unsigned char>(header[1]) & 0x7FU;
  return length == 127 ? 10 : length == 126 ? 4 : 2;
}

std::uint64_t payload_size(std::string_view header) {
  return header.size() == 2 ? static_cast<unsigned char>(header[1]) & 0x7FU : number_of_big_endian(header.substr(2));
}

/// What a server must make of our key, to show that it knows what a WebSocket is [RFC 6455 4.2.2].
std::string accepted_key(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  ::SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return base64({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

/// The names of RFC 6455 7.4.1 and of IANA's registry; empty for what has none.
std::string_view name_of_status(int status) {
  switch (status) {
    case 1000: return "normal closure";
    case 1001: return "going away";
    case 1002: return "protocol error";
    case 1003: return "unsupported data";
    case 1007: return "invalid data";
    case 1008: return "policy violation";
    case 1009: return "message too big";
    case 1010: return "an extension is missing";
    case 1011: return "internal error";
    case 1012: return "service restart";
    case 1013: return "try again later";
    case 1014: return "bad gateway";
    default: return "";
  }
}

std::string new_key() { return base64(big_endian(random_seed(), 8) + big_endian(random_seed(), 8)); }

}  // namespace

std::string framed(Opcode opcode, std::string_view payload, const std::array<unsigned char, 4>& mask) {
  std::string frame{static_cast<char>(last_of_message | static_cast<unsigned char>(opcode))};
  const std::size_t size = payload.size();
  const std::size_t more = size < 126 ? 0 : size <= 0xFFFF ? 2 : 8;  // bytes of the length
  frame += static_cast<char>(masked | (more == 0 ? size : more == 2 ? 126U : 127U));
  frame += big_endian(size, more);
  frame.append(reinterpret_cast<const char*>(mask.data()), mask.size());
  const std::size_t begin = frame.size();
  frame += payload;
  for (std::size_t at = 0; at < payload.size(); ++at) {
    frame[begin + at] = static_cast<char>(static_cast<unsigned char>(payload[at]) ^ mask[at % mask.size()]);
  }
  return frame;
}

std::vector<Unframer::Control> Unframer::take(std::string_view bytes, std::string& data) {
  std::vector<Control> controls;
  while (!bytes.empty() || (in_payload_ && left_ == 0)) {
    if (!in_payload_) {
      header_ += bytes.front();
      bytes.remove_prefix(1);
      if (header_.size() < header_size(header_)) {
        continue;
      }
      if ((static_cast<unsigned char>(header_[1]) & masked) != 0) {
        throw Malformed("a frame of the WebSocket is masked, though it comes from the server");
      }
      opcode_ = static_cast<Opcode>(static_cast<unsigned char>(header_[0]) & 0x0FU);
      left_ = payload_size(header_);
      header_.clear();
      in_payload_ = true;
      if (opcode_ >= Opcode::close && left_ > longest_control) {
        throw Malformed("a control frame of the WebSocket is too long");
      }
    }
    const std::string_view part = bytes.substr(0, std::min<std::uint64_t>(left_, bytes.size()));
    bytes.remove_prefix(part.size());
    left_ -= part.size();
    (opcode_ >= Opcode::close ? control_ : data) += part;
    if (left_ > 0) {
      break;
    }
    in_payload_ = false;
    if (opcode_ >= Opcode::close) {
      controls.push_back({opcode_, std::exchange(control_, {})});
    }
  }
  return controls;
}

std::string words_on_close(std::string_view payload) {
  if (payload.size() < 2) {
    return "it closed the WebSocket";
  }
  const auto status = static_cast<int>(number_of_big_endian(payload.substr(0, 2)));
  const std::string_view name = name_of_status(status);
  std::string words = fmt::format("it closed the WebSocket with status {}", status);
  words += name.empty() ? "" : fmt::format(" ({})", name);
  words += payload.size() == 2 ? "" : fmt::format(": {}", payload.substr(2));
  return words;
}

void open_websocket(Channel& channel, const std::string& host, const std::string& path, Deadline deadline,
                    const std::stop_token& stop) {
  const std::string key = new_key();
  Peer server{channel, fmt::format("the WebSocket's server (at {})", path), deadline, stop};
  const HttpAnswer answer =
      http_exchange(server, fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\n"
                                        "Connection: Upgrade\r\nSec-WebSocket-Key: {}\r\n"
                                        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n",
                                        path, host, key));
  constexpr int switching_protocols = 101;
  if (answer.status != switching_protocols) {
    throw Unreachable(fmt::format("the server has no WebSocket at {}: it answered {}", path, answer.status_line));
  }
  const auto header = [&](const char* name) {
    const auto found = answer.headers.find(name);
    return found == answer.headers.end() ? std::string{} : found->second;
  };
  if (in_small_letters(header("upgrade")) != "websocket" || header("sec-websocket-accept") != accepted_key(key)) {
    throw Unreachable(fmt::format("what answers at {} is no WebSocket", path));
  }
  if (in_small_letters(header("sec-websocket-protocol")) != "mqtt") {
    throw Unreachable(fmt::format("the WebSocket at {} does not carry MQTT", path));
  }
}

}  // namespace sistem
