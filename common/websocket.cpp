#include "common/websocket.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>

#include "common/channel.hpp"
#include "common/http.hpp"
#include "common/option.hpp"
#include "common/packet.hpp"
#include "common/payload.hpp"
#include "common/random.hpp"
#include "common/unreachable.hpp"

namespace sistem {
namespace {

constexpr unsigned char last_of_message = 0x80;
constexpr unsigned char masked = 0x80;
constexpr std::size_t longest_control = 125;

std::string big_endian(std::uint64_t number, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    text += static_cast<char>(number >> static_cast<unsigned>(shift) & 0xFFU);
  }
  return text;
}

/// How many bytes a header has that begins so; 2 while its second byte is not there.
std::size_t header_size(std::string_view header) {
  if (header.size() < 2) {
    return 2;
  }
  const unsigned length = static_cast<unsigned char>(header[1]) & 0x7FU;
  return length == 127 ? 10 : length == 126 ? 4 : 2;
}

std::uint64_t payload_size(std::string_view header) {
  if (header.size() == 2) {
    return static_cast<unsigned char>(header[1]) & 0x7FU;
  }
  std::uint64_t size = 0;
  for (const char byte : header.substr(2)) {
    size = size << 8U | static_cast<unsigned char>(byte);
  }
  return size;
}

/// What a server must make of our key, to show that it knows what a WebSocket is [RFC 6455 4.2.2].
std::string accepted_key(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  ::SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return base64({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

std::string new_key() { return base64(big_endian(random_seed(), 8) + big_endian(random_seed(), 8)); }

}  // namespace

std::string framed(Opcode opcode, std::string_view payload, const std::array<unsigned char, 4>& mask) {
  std::string frame{static_cast<char>(last_of_message | static_cast<unsigned char>(opcode))};
  if (payload.size() < 126) {
    frame += static_cast<char>(masked | payload.size());
  } else if (payload.size() <= 0xFFFF) {
    frame += static_cast<char>(masked | 126U);
    frame += big_endian(payload.size(), 2);
  } else {
    frame += static_cast<char>(masked | 127U);
    frame += big_endian(payload.size(), 8);
  }
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

void open_websocket(Channel& channel, const std::string& host, const std::string& path, Deadline deadline,
                    const std::stop_token& stop) {
  const std::string key = new_key();
  const HttpAnswer answer =
      http_exchange(channel,
                    fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\n"
                                "Connection: Upgrade\r\nSec-WebSocket-Key: {}\r\n"
                                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n",
                                path, host, key),
                    fmt::format("the WebSocket's server (at {})", path), deadline, stop);
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
