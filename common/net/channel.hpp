#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "common/net/tls.hpp"
#include "common/process/descriptor.hpp"

namespace sistem {

/// A stream of bytes to the broker and back, whatever carries it: TCP or a unix socket, TLS on top of that, frames of
/// a WebSocket on top of either. Never waits. Used by one thread at a time.
class Channel {
 public:
  /// A connected, non-blocking socket.
  explicit Channel(Descriptor socket);

  /// What is read and written from here on is encrypted; the handshake is over.
  void encrypt(Encrypted tls);
  /// From here on it is in the frames of a WebSocket, whose handshake is over.
  void frame();

  Channel(Channel&& other) noexcept;
  Channel& operator=(Channel&& other) noexcept;
  ~Channel();

  [[nodiscard]] int fd() const;

  /// As read(2) on a non-blocking socket: 0 at the end, -1 with errno where there is nothing (EAGAIN) or no connection
  /// any more.
  [[nodiscard]] ssize_t read(char* into, std::size_t size);
  /// Whether it may hold bytes that poll(2) does not know of, until read() says EAGAIN.
  [[nodiscard]] bool reads_ahead() const;
  /// When the last bytes came that read() has read: as the kernel has noted it, as tcpdump would show it; where it does
  /// not, when they were read.
  [[nodiscard]] std::chrono::system_clock::time_point arrival() const;

  /// As writev(2) on a non-blocking socket: how many bytes were taken, -1 with errno where none could be. What was
  /// taken and did not fit into the socket waits here: then has_unsent() is true, nothing more is taken (EAGAIN), and
  /// flush() goes on with it once the socket is writable.
  [[nodiscard]] ssize_t write(const iovec* parts, int count);
  [[nodiscard]] bool has_unsent() const;
  /// False where the connection is gone.
  bool flush();

  /// Says goodbye in TLS's and WebSocket's own words, as far as that goes at once. The socket stays open.
  void end();

  /// Why the peer has ended it, where it has said so: the alert of TLS, the status of a WebSocket's close frame.
  [[nodiscard]] std::optional<std::string> last_word() const;

 private:
  class Layers;
  std::unique_ptr<Layers> layers_;
};

}  // namespace sistem
