#include "common/net/channel.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <utility>

#include "common/mqtt/protocol.hpp"
#include "common/text/random.hpp"

namespace sistem {

Channel::Channel(Descriptor socket) : socket_(std::move(socket)) {
  const int yes = 1;
  // Where a socket has no such thing, as a unix socket, nothing is noted.
  (void)::setsockopt(fd(), SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof yes);
}

void Channel::frame() {
  frames_ = WebSocket{};
  frames_->random.seed(static_cast<std::uint_fast32_t>(random_seed()));
}

// The bottom: the socket, or TLS on it ------------------------------------------------------------------------------

/// OpenSSL's way to say what read(2) and write(2) say.
ssize_t Channel::ssl_result(int result) {
  const int system_error = errno;
  switch (::SSL_get_error(tls_->ssl.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: errno = EAGAIN; return -1;
    case SSL_ERROR_ZERO_RETURN: return 0;
    case SSL_ERROR_SYSCALL:
      if (system_error == 0) {
        return 0;  // closed without TLS's goodbye, as many brokers do
      }
      errno = system_error;
      return -1;
    default: errno = EPROTO; return -1;
  }
}

ssize_t Channel::raw_read(char* into, std::size_t size) {
  if (!tls_) {
    return receive(into, size);
  }
  ::ERR_clear_error();
  errno = 0;
  const int result = ::SSL_read(tls_->ssl.get(), into, static_cast<int>(std::min<std::size_t>(size, 1 << 30)));
  arrival_ = std::chrono::system_clock::now();
  return result > 0 ? result : ssl_result(result);
}

/// As recv(2), and takes the kernel's note of the time along.
ssize_t Channel::receive(char* into, std::size_t size) {
  iovec bytes{into, size};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(timespec))> notes{};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = notes.data();
  message.msg_controllen = notes.size();
  const ssize_t count = ::recvmsg(fd(), &message, 0);
  if (count <= 0) {
    return count;
  }
  timespec time{};
  const cmsghdr* const note = CMSG_FIRSTHDR(&message);
  if (note != nullptr && note->cmsg_level == SOL_SOCKET && note->cmsg_type == SCM_TIMESTAMPNS) {
    std::memcpy(&time, CMSG_DATA(note), sizeof time);
  }
  const auto since_1970 = std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
  // The first packets may have no note.
  arrival_ = time.tv_sec > 0 ? std::chrono::system_clock::time_point{since_1970} : std::chrono::system_clock::now();
  return count;
}

ssize_t Channel::raw_write(const char* bytes, std::size_t size) {
  if (!tls_) {
    return ::send(fd(), bytes, size, MSG_NOSIGNAL);
  }
  ::ERR_clear_error();
  errno = 0;
  const int result = ::SSL_write(tls_->ssl.get(), bytes, static_cast<int>(std::min<std::size_t>(size, 1 << 30)));
  if (result > 0) {
    return result;
  }
  if (ssl_result(result) == 0) {
    errno = EPIPE;
  }
  return -1;
}

// The top: plain bytes, or a WebSocket's frames -----------------------------------------------------------------------

ssize_t Channel::read(char* into, std::size_t size) {
  if (!frames_) {
    return raw_read(into, size);
  }
  while (frames_->data_read == frames_->data.size()) {
    if (frames_->closed) {
      return 0;
    }
    frames_->data.clear();
    frames_->data_read = 0;
    std::array<char, 16 << 10> bytes;  // NOLINT(cppcoreguidelines-pro-type-member-init): written next
    const ssize_t count = raw_read(bytes.data(), bytes.size());
    if (count <= 0) {
      return count;
    }
    try {
      for (const auto& control :
           frames_->unframer.take({bytes.data(), static_cast<std::size_t>(count)}, frames_->data)) {
        answer(control);
      }
    } catch (const Malformed& malformed) {
      frames_->close_words = malformed.what();
      errno = EPROTO;
      return -1;
    }
  }
  const std::size_t count = std::min(size, frames_->data.size() - frames_->data_read);
  std::copy_n(frames_->data.data() + frames_->data_read, count, into);
  frames_->data_read += count;
  return static_cast<ssize_t>(count);
}

void Channel::answer(const Unframer::Control& control) {
  if (control.opcode == Opcode::ping) {
    send_frame(Opcode::pong, control.payload);
  } else if (control.opcode == Opcode::close) {
    frames_->closed = true;
    frames_->close_words = words_on_close(control.payload);
  }
}

void Channel::send_frame(Opcode opcode, std::string_view payload) {
  std::array<unsigned char, 4> mask{};
  std::generate(mask.begin(), mask.end(), [&] { return static_cast<unsigned char>(frames_->random() >> 8U); });
  unsent_ += framed(opcode, payload, mask);
  (void)flush();
}

ssize_t Channel::write(const iovec* parts, int count) {
  if (has_unsent() && !flush()) {
    return -1;
  }
  if (has_unsent()) {
    errno = EAGAIN;
    return -1;
  }
  if (!tls_ && !frames_) {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(parts);
    message.msg_iovlen = static_cast<std::size_t>(count);
    return ::sendmsg(fd(), &message, MSG_NOSIGNAL);
  }
  // Taken whole: what is half a record or a frame cannot be taken back.
  std::string bytes;
  for (const iovec* part = parts; part != parts + count; ++part) {
    bytes.append(static_cast<const char*>(part->iov_base), part->iov_len);
  }
  if (bytes.empty()) {
    return 0;
  }
  if (frames_) {
    send_frame(Opcode::binary, bytes);
  } else {
    unsent_ = bytes;
    if (!flush()) {
      return -1;
    }
  }
  return static_cast<ssize_t>(bytes.size());
}

bool Channel::flush() {
  std::size_t sent = 0;
  bool is_well = true;
  while (sent < unsent_.size()) {
    const ssize_t count = raw_write(unsent_.data() + sent, unsent_.size() - sent);
    if (count < 0) {
      is_well = errno == EAGAIN;
      break;
    }
    sent += static_cast<std::size_t>(count);
  }
  const int error = errno;
  unsent_.erase(0, sent);
  errno = error;
  return is_well;
}

void Channel::end() {
  if (frames_ && !frames_->closed) {
    constexpr std::string_view normal{"\x03\xE8", 2};  // 1000
    send_frame(Opcode::close, normal);
  }
  if (tls_ && !has_unsent()) {
    ::ERR_clear_error();
    (void)::SSL_shutdown(tls_->ssl.get());
  }
}

std::optional<std::string> Channel::last_word() const {
  if (frames_ && frames_->close_words) {
    return frames_->close_words;
  }
  const auto alert = tls_ ? tls_->findings->alert_text() : std::nullopt;
  return alert ? std::optional("TLS: " + *alert) : std::nullopt;
}

}  // namespace sistem
