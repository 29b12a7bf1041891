#include "common/paho/send_queue.hpp"

#include <algorithm>
#include <cerrno>
#include <numeric>
#include <optional>

#include "common/mqtt/packet.hpp"

namespace sistem {
namespace {

/// At most this much is gathered.
constexpr std::size_t gathered_limit = 16 << 10;

/// A buffer that has grown beyond this is given back.
constexpr std::size_t kept_capacity = 64 << 10;

/// At most this much of acknowledgements may wait to be sent.
constexpr std::size_t acknowledgements_limit = 1 << 20;

std::optional<PacketType> type_of_first(std::string_view bytes) {
  return bytes.empty() ? std::nullopt : std::optional(type_of(static_cast<std::uint8_t>(bytes.front())));
}

std::size_t size_of(std::span<const iovec> packet) {
  return std::accumulate(packet.begin(), packet.end(), std::size_t{0},
                         [](std::size_t sum, const iovec& part) { return sum + part.iov_len; });
}

}  // namespace

int SendQueue::send(std::span<const iovec> packet) {
  const std::size_t total = size_of(packet);
  if (may_gather(packet, total)) {
    int error = 0;
    if (size() + total > gathered_limit && !is_full_) {
      error = flush();
    }
    if (error == 0 || error == EAGAIN) {
      for (const iovec& part : packet) {
        bytes_ += text_of(part);
      }
      acknowledgements_ += is_acknowledgement(*type_of_first(text_of(packet.front()))) ? total : 0;
    }
    return error;
  }
  return write(packet, total);
}

/// What the socket has no room for waits here, and is sent by whoever finds room first. Were it given back, Paho would
/// go on with it only after it has waited up to a second for something to read: 60 MB took 6 to 10 s, and now a tenth
/// of one. And where it goes on at once it may be done before the thread that began it has noted what it is (1.3.12,
/// 1.3.14: a use after free). Of messages no more can wait than fill the window of who publishes.
int SendQueue::write(std::span<const iovec> packet, std::size_t size) {
  std::size_t taken = 0;
  int error = is_full_ ? EAGAIN : flush();
  if (error == 0) {
    const ssize_t some = channel_.write(packet.data(), static_cast<int>(packet.size()));
    error = some < 0 ? errno : 0;
    taken = static_cast<std::size_t>(std::max<ssize_t>(some, 0));
    is_full_ = taken < size || channel_.has_unsent();
  }
  if (error != 0 && error != EAGAIN) {
    return error;
  }
  std::size_t left = taken;
  for (const iovec& part : packet) {
    const std::string_view gone = text_of(part).substr(0, left);
    left -= gone.size();
    if (!gone.empty()) {
      on_taken_(gone);
    }
    bytes_ += text_of(part).substr(gone.size());
  }
  if (is_acknowledgement(*type_of_first(text_of(packet.front())))) {
    acknowledgements_ += size - taken;
  }
  return has_unsent() ? EAGAIN : 0;
}

void SendQueue::append(std::string_view packet) {
  bytes_ += packet;
  if (const auto type = type_of_first(packet); type && is_acknowledgement(*type)) {
    acknowledgements_ += packet.size();
  }
}

int SendQueue::flush() {
  is_full_ = true;  // until all has gone
  if (channel_.has_unsent() && !channel_.flush()) {
    return errno;
  }
  while (size() > 0) {
    const iovec rest{bytes_.data() + begin_, size()};
    const ssize_t count = channel_.write(&rest, 1);
    if (count < 0) {
      const int error = errno;
      if (begin_ > bytes_.size() / 2) {  // or it would grow while the socket is always full
        bytes_.erase(0, std::exchange(begin_, 0));
      }
      return error;
    }
    on_taken_({bytes_.data() + begin_, static_cast<std::size_t>(count)});
    begin_ += static_cast<std::size_t>(count);
  }
  clear();
  is_full_ = channel_.has_unsent();
  return is_full_ ? EAGAIN : 0;
}

void SendQueue::clear() {
  if (bytes_.capacity() > kept_capacity) {
    bytes_ = std::string{};
  }
  bytes_.clear();
  begin_ = 0;
  acknowledgements_ = 0;
  is_full_ = false;
}

bool SendQueue::is_stuffed() const {
  return acknowledgements_ >= acknowledgements_limit && size() >= acknowledgements_limit;
}

/// Only what belongs to floods: packets whose answer nobody waits for alone.
bool SendQueue::may_gather(std::span<const iovec> packet, std::size_t size) const {
  const auto type = packet.empty() ? std::nullopt : type_of_first(text_of(packet.front()));
  return gathers_ && size <= gathered_limit && type && (*type == PacketType::publish || is_acknowledgement(*type));
}

}  // namespace sistem
