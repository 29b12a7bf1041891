#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "common/net/channel.hpp"

namespace sistem {

/// The bytes of a part of a packet.
[[nodiscard]] inline std::string_view text_of(const iovec& part) {
  return {static_cast<const char*>(part.iov_base), part.iov_len};
}

/// Packets on their way to the broker: small ones are gathered, so that a flood of them costs a system call for each 16
/// KiB, and what the socket has no room for waits. It takes everything. One thread at a time.
class SendQueue {
 public:
  /// `on_taken` is shown, in order, all bytes that the channel has taken.
  SendQueue(Channel& channel, bool gathers, std::function<void(std::string_view)> on_taken)
      : channel_(channel), gathers_(gathers), on_taken_(std::move(on_taken)) {}

  // The three that send give an errno: 0 if nothing waits for room, EAGAIN if something does, or what broke.

  /// Takes a packet. Sent at once; in a flood it is kept until the next write or flush().
  [[nodiscard]] int send(std::span<const iovec> packet);
  /// Takes a packet that goes with the next.
  void append(std::string_view packet);
  /// Sends what waits, as far as that goes at once.
  [[nodiscard]] int flush();

  /// Forgets all that was not sent.
  void clear();

  /// How many bytes wait here.
  [[nodiscard]] std::size_t size() const { return bytes_.size() - begin_; }
  /// Whether something waits here, or in the channel, which may have taken it and not the system.
  [[nodiscard]] bool has_unsent() const { return size() > 0 || channel_.has_unsent(); }
  /// Whether the socket did not take all the last time.
  [[nodiscard]] bool is_full() const { return is_full_; }
  /// Whether a broker that sends and does not read has made so much of acknowledgements wait that it is not to be read
  /// from. What is published does not count: there an answer may be what is waited for.
  [[nodiscard]] bool is_stuffed() const;

 private:
  [[nodiscard]] bool may_gather(std::span<const iovec> packet, std::size_t size) const;
  int write(std::span<const iovec> packet, std::size_t size);

  Channel& channel_;
  const bool gathers_;
  const std::function<void(std::string_view)> on_taken_;
  std::string bytes_;  ///< that wait; the channel has had of them:
  std::size_t begin_ = 0;
  std::size_t acknowledgements_ = 0;  ///< bytes of these that were put there since it was empty
  bool is_full_ = false;
};

}  // namespace sistem
