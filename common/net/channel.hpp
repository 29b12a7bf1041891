#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "common/net/tls.hpp"
#include "common/net/websocket.hpp"
#include "common/process/descriptor.hpp"

namespace sistem {

/// A stream of bytes to the broker and back, whatever carries it: TCP or a unix socket, TLS on top of that, frames of
/// a WebSocket on top of either. Never waits. Used by one thread at a time.
class Channel {
 public:
  /// A connected, non-blocking socket.
  explicit Channel(Descriptor socket);

  /// What is read and written from here on is encrypted; the handshake is over.
  void encrypt(Encrypted tls) { tls_.emplace(std::move(tls)); }
  /// From here on it is in the frames of a WebSocket, whose handshake is over.
  void frame();

  [[nodiscard]] int fd() const { return socket_.get(); }

  /// As read(2) on a non-blocking socket: 0 at the end, -1 with errno where there is nothing (EAGAIN) or no connection
  /// any more.
  [[nodiscard]] ssize_t read(char* into, std::size_t size);
  /// Whether it may hold bytes that poll(2) does not know of, until read() says EAGAIN.
  [[nodiscard]] bool reads_ahead() const { return tls_ || frames_; }
  /// When the last bytes came that read() has read: as the kernel has noted it, as tcpdump would show it; where it does
  /// not, when they were read.
  [[nodiscard]] std::chrono::system_clock::time_point arrival() const { return arrival_; }

  /// As writev(2) on a non-blocking socket: how many bytes were taken, -1 with errno where none could be. What was
  /// taken and did not fit into the socket waits here: then has_unsent() is true, nothing more is taken (EAGAIN), and
  /// flush() goes on with it once the socket is writable.
  [[nodiscard]] ssize_t write(const iovec* parts, int count);
  [[nodiscard]] bool has_unsent() const { return !unsent_.empty(); }
  /// False where the connection is gone.
  bool flush();

  /// Says goodbye in TLS's and WebSocket's own words, as far as that goes at once. The socket stays open.
  void end();

  /// Why the peer has ended it, where it has said so: the alert of TLS, the status of a WebSocket's close frame.
  [[nodiscard]] std::optional<std::string> last_word() const;

 private:
  /// What a WebSocket needs beside its frames.
  struct WebSocket {
    Unframer unframer{};
    std::string data{};         ///< of frames that were read,
    std::size_t data_read = 0;  ///< and so much of it has been read on
    bool closed = false;
    std::optional<std::string> close_words{};
    std::minstd_rand random{};
  };

  ssize_t raw_read(char* into, std::size_t size);
  ssize_t receive(char* into, std::size_t size);
  ssize_t raw_write(const char* bytes, std::size_t size);
  void answer(const Unframer::Control& control);
  void send_frame(Opcode opcode, std::string_view payload);
  ssize_t ssl_result(int result);

  Descriptor socket_;
  std::optional<Encrypted> tls_;
  std::optional<WebSocket> frames_;
  std::string unsent_;
  std::chrono::system_clock::time_point arrival_;
};

}  // namespace sistem
