#include "common/wire.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <numeric>
#include <optional>
#include <span>
#include <utility>

namespace sistem {
namespace {

constexpr std::size_t block = 64 << 10;

/// So much is read ahead for a library that is slower than the network.
constexpr std::size_t ready_limit = block;

/// So many messages, and so many bytes of them, may be on their way through the library to the tool.
constexpr std::size_t passed_limit = 1000;
constexpr std::size_t passed_bytes_limit = 16 << 20;

/// So much is read of messages that must wait. After that the broker is no longer read from: TCP pushes back, and the
/// broker queues or drops by its own rules.
constexpr std::size_t held_limit = 1 << 20;

/// So much is gathered of what goes out.
constexpr std::size_t gathered_limit = 16 << 10;

/// Of a PUBLISH an observer gets so much: its topic and nearly all properties, and not a payload of 200 MB.
constexpr std::size_t publish_shown = 256 << 10;

/// Whether the library may have that message already: what is sent again at QoS 2.
bool may_be_known(std::uint8_t first_byte) { return is_duplicate(first_byte) && qos_of(first_byte) == 2; }

/// The packet id of a whole PUBLISH of QoS 1 or 2: behind header and topic name [MQTT5 3.3.2].
std::uint16_t id_of(std::string_view publish) {
  const auto number = [&](std::size_t at) {
    return at + 1 < publish.size() ? static_cast<std::uint16_t>(static_cast<unsigned char>(publish[at]) << 8U |
                                                                static_cast<unsigned char>(publish[at + 1]))
                                   : std::uint16_t{0};
  };
  std::size_t header = 1;
  while (header < publish.size() && (static_cast<unsigned char>(publish[header]) & 0x80U) != 0) {
    ++header;
  }
  return number(header + 3 + number(header + 1));
}

constexpr std::string_view pingresp{"\xD0\0", 2};

std::string_view text_of(const iovec& part) { return {static_cast<const char*>(part.iov_base), part.iov_len}; }

/// The type in the first byte of what the library sends, where that begins a packet; nothing where there is no byte.
std::optional<PacketType> first_type(const iovec* parts, int count) {
  return count > 0 && parts->iov_len > 0 ? std::optional(type_of(static_cast<std::uint8_t>(text_of(*parts).front())))
                                         : std::nullopt;
}

}  // namespace

Wire::Wire(Channel channel, Observer observer, Sending sending, Beginning beginning)
    : channel_(std::move(channel)),
      observer_(std::move(observer)),
      sending_(sending),
      at_most_(beginning.at_most),
      known_(std::move(beginning.known)),
      without_limit_(beginning.without_limit) {}

// Out -----------------------------------------------------------------------------------------------------------

/// What the socket has no room for waits here, and is sent by whoever finds room first. Were it given back, Paho would
/// go on with it only after it has waited up to a second for something to read: 60 MB took 6 to 10 s, and now a tenth
/// of one. And where it goes on at once it may be done before the thread that began it has noted what it is (1.3.12,
/// 1.3.14: a use after free). Of messages no more can wait than fill the window of who publishes.
ssize_t Wire::send(const iovec* parts, int count) {
  const Changing changing{*this};
  const std::size_t size = std::accumulate(parts, parts + count, std::size_t{0},
                                           [](std::size_t sum, const iovec& part) { return sum + part.iov_len; });
  std::size_t taken = 0;
  int error = 0;
  if (is_broken_ || is_needless_ping(parts, count)) {
    return static_cast<ssize_t>(size);
  }
  if (may_gather(parts, count, size)) {
    if (unsent() + size > gathered_limit && !is_full_ && !send_waiting()) {
      error = errno;
    }
  } else if (!is_full_) {
    const ssize_t some = send_waiting() ? channel_.write(parts, count) : -1;
    error = some < 0 ? errno : 0;
    taken = static_cast<std::size_t>(std::max<ssize_t>(some, 0));
    is_full_ = taken < size || channel_.has_unsent();
  }
  if (error != 0 && error != EAGAIN) {
    // Where a PUBLISH fails for good, Paho frees its topic and keeps the message, to send it again in a session that
    // goes on (1.3.12: a use after free). So nothing ever fails here; the end is told where Paho reads.
    fail(error);
    return static_cast<ssize_t>(size);
  }
  std::size_t left = taken;
  for (const iovec& part : std::span(parts, static_cast<std::size_t>(count))) {
    const std::string_view gone = text_of(part).substr(0, left);
    left -= gone.size();
    watch_sent(gone);
    unsent_.append(text_of(part).substr(gone.size()));
  }
  if (taken > 0) {
    tell_handed_on();
  }
  return static_cast<ssize_t>(size);
}

/// While something waits for room the library does not see that it is on its way, takes the connection for idle and
/// sends PINGREQ, which would wait too: for the answer it would wait one and a half times the keep alive, and give up
/// [MQTT5 3.1.2.10]. Where bytes have gone since the last one the connection is well, so the answer is ours.
bool Wire::is_needless_ping(const iovec* parts, int count) {
  if (first_type(parts, count) != PacketType::pingreq || !is_full_ || !std::exchange(went_since_ping_, false) ||
      ended_ || !may_insert()) {
    return false;
  }
  ready_ += pingresp;
  return true;
}

/// Only what belongs to floods: a packet that nobody waits for the answer of alone. It must be whole.
bool Wire::may_gather(const iovec* parts, int count, std::size_t size) const {
  const auto type = first_type(parts, count);
  if (sending_ != Sending::gathered || size > gathered_limit || !type ||
      (unsent() == 0 && !out_.cutter.between_packets())) {
    return false;
  }
  switch (*type) {
    case PacketType::publish:
    case PacketType::puback:
    case PacketType::pubrec:
    case PacketType::pubrel:
    case PacketType::pubcomp: return true;
    default: return false;
  }
}

/// What must go before anything else. False, with errno, where it does not.
bool Wire::send_waiting() {
  if (is_broken_) {
    errno = EPIPE;
    return false;
  }
  is_full_ = true;  // until all has gone
  if (channel_.has_unsent() && !channel_.flush()) {
    return false;
  }
  const std::uint64_t before = handed_on_;
  while (unsent() > 0) {
    const iovec rest{unsent_.data() + unsent_begin_, unsent()};
    const ssize_t count = channel_.write(&rest, 1);
    if (count < 0) {
      const int error = errno;
      if (unsent_begin_ > unsent_.size() / 2) {  // or it would grow where a socket is always full
        unsent_.erase(0, std::exchange(unsent_begin_, 0));
      }
      if (error == EAGAIN && handed_on_ != before) {
        tell_handed_on();
      }
      errno = error;
      return false;
    }
    watch_sent({unsent_.data() + unsent_begin_, static_cast<std::size_t>(count)});
    unsent_begin_ += static_cast<std::size_t>(count);
  }
  if (unsent_.capacity() > block) {
    unsent_ = std::string{};
  }
  unsent_.clear();
  unsent_begin_ = 0;
  if (channel_.has_unsent()) {
    errno = EAGAIN;
    return false;
  }
  is_full_ = false;
  tell_handed_on();
  sent_.notify_all();
  return true;
}

/// Shows the packets in bytes that the channel has taken.
void Wire::watch_sent(std::string_view bytes) {
  if (bytes.empty()) {
    return;
  }
  went_since_ping_ = true;
  last_sent_ = std::chrono::steady_clock::now();
  while (const auto piece = out_.cutter.next(bytes)) {
    watch(Way::out, out_, *piece);
    if (!piece->ends) {
      continue;
    }
    if (type_of(piece->first_byte) == PacketType::pingreq) {
      answer_ping();
    } else if (type_of(piece->first_byte) == PacketType::publish && qos_of(piece->first_byte) == 0) {
      ++handed_on_;
    }
  }
}

/// What waits in the channel, which takes a packet whole before the system does, is not with the system.
void Wire::tell_handed_on() {
  if (!channel_.has_unsent()) {
    told_ = handed_on_;
  }
  observer_.hands_on(told_, !has_unsent());
}

/// The connection is gone, and nobody knows what will become of what the system has. What it does not have was not
/// sent.
void Wire::fail(int error) {
  if (std::exchange(is_broken_, true)) {
    return;
  }
  observer_.hands_on(told_, false);
  unsent_.clear();
  unsent_begin_ = 0;
  is_full_ = false;
  read_ahead();  // what had come before, an alert of TLS perhaps
  ended_ = ended_.value_or(error);
  sent_.notify_all();
  observer_.loses();
}

/// Sends what waits, as far as that goes at once.
void Wire::push() {
  if (!send_waiting() && errno != EAGAIN) {
    fail(errno);
  }
}

bool Wire::rest() {
  const Changing changing{*this};
  push();
  return has_unsent();
}

/// Where the broker is not read from because nobody takes its messages, its PINGRESP would not be seen, and the library
/// would give up a connection that is well. The broker's own comes later, and means nothing then.
void Wire::answer_ping() {
  if (!ended_ && held_bytes_ >= held_limit && !may_read_ahead() && may_insert()) {
    ready_ += pingresp;
  }
}

bool Wire::ping_after(std::chrono::steady_clock::duration idle) {
  constexpr std::string_view pingreq{"\xC0\0", 2};
  const Changing changing{*this};
  const auto now = std::chrono::steady_clock::now();
  if (ended_ || now - last_sent_ < idle || !out_.cutter.between_packets() || unsent() > 0) {
    return false;
  }
  last_sent_ = now;
  unsent_ = pingreq;
  push();
  return has_unsent();
}

bool Wire::wait_until_sent(Deadline deadline) {
  Changing changing{*this};
  push();
  return sent_.wait_until(changing.lock, deadline, [&] { return ended_ || !has_unsent(); }) && !ended_;
}

void Wire::end() {
  const Changing changing{*this};
  push();
  channel_.end();
}

// In ------------------------------------------------------------------------------------------------------------

ssize_t Wire::receive(char* into, std::size_t size) {
  if (taken_left_ == 0) {
    const Changing changing{*this};
    if (ready_.empty() && !is_drained_) {
      read_ahead();
    }
    if (ready_.empty()) {
      if (ended_.value_or(EAGAIN) == 0) {
        return 0;
      }
      errno = ended_.value_or(EAGAIN);
      return -1;
    }
    taken_.swap(ready_);
    ready_.clear();
    taken_left_ = taken_.size();
  }
  const std::size_t count = std::min<std::size_t>(size, taken_left_);
  std::copy_n(taken_.data() + taken_.size() - taken_left_, count, into);
  taken_left_ -= count;
  return static_cast<ssize_t>(count);
}

bool Wire::may_read_ahead() const {
  // One message alone is read to its end as soon as it could pass, however large it is: before, it cannot pass.
  const bool is_one_unfinished = held_.size() == 1 && holds_current_ && !in_.cutter.between_packets();
  return !ended_ && waiting() < ready_limit &&
         (held_bytes_ < held_limit || without_limit_ || (is_one_unfinished && may_pass()));
}

/// Whether a packet of its own may follow what is ready.
bool Wire::may_insert() const { return in_.cutter.between_packets() || holds_current_; }

bool Wire::may_pass() const {
  return passed_.size() < passed_limit && passed_bytes_ < passed_bytes_limit &&
         !(at_most_ && passed_.size() >= *at_most_);
}

void Wire::pass(std::size_t size) {
  passed_.push_back(size);
  passed_bytes_ += size;
}

std::int16_t Wire::awaited() {
  const Changing changing{*this};
  is_room_awaited_ = has_unsent();
  const int events = (may_read_ahead() ? POLLIN : 0) | (is_room_awaited_ ? POLLOUT : 0);
  return static_cast<std::int16_t>(events);
}

bool Wire::advance(bool readable) {
  bool comes = false;
  {
    const Changing changing{*this};
    is_drained_ = is_drained_ && !readable;
    if (waiting() == 0 && !is_drained_) {  // not sooner, or arrival() would be the time of what comes later
      const bool had_none = passed_.empty();
      read_ahead();
      comes = had_none && !passed_.empty();
    }
  }
  if (comes) {
    observer_.comes();
  }
  if (!has_ready()) {
    observer_.rests();  // first: acknowledgements have more time than who waits for a message
  }
  const Changing changing{*this};
  push();
  return waiting() > 0 || ended_;
}

void Wire::read_ahead() {
  std::array<char, block> bytes;  // NOLINT(cppcoreguidelines-pro-type-member-init): 64 KiB that are written next
  while (may_read_ahead()) {
    const ssize_t count = channel_.read(bytes.data(), bytes.size());
    if (count < 0 && errno == EAGAIN) {
      is_drained_ = true;
      return;
    }
    if (count <= 0) {
      ended_ = count == 0 ? 0 : errno;
      sent_.notify_all();
      return;
    }
    note_arrival();
    try {
      sort({bytes.data(), static_cast<std::size_t>(count)});
    } catch (const Malformed& malformed) {
      fault_ = malformed.what();
      ended_ = EPROTO;
      return;
    }
    if (static_cast<std::size_t>(count) < bytes.size() && !channel_.reads_ahead()) {
      is_drained_ = true;
      return;
    }
  }
}

void Wire::note_arrival() {
  const auto now = std::chrono::system_clock::now();
  const auto arrival = std::min(now, channel_.arrival());  // the kernel's clock may have been set back since
  arrival_ = arrival;
  arrival_steady_ = std::chrono::steady_clock::now() - (now - arrival);
}

/// Sends each packet its way.
void Wire::sort(std::string_view bytes) {
  while (const auto piece = in_.cutter.next(bytes)) {
    if (piece->begins) {
      const bool is_message = type_of(piece->first_byte) == PacketType::publish;
      holds_current_ = is_message && (!held_.empty() || !may_pass() || may_be_known(piece->first_byte));
      if (holds_current_) {
        held_.emplace_back();
      } else if (is_message) {
        pass(piece->packet_size);
      }
    }
    watch(Way::in, in_, *piece);
    if (holds_current_) {
      held_.back() += piece->bytes;
      held_bytes_ += piece->bytes.size();
    } else {
      ready_ += piece->bytes;
    }
  }
  pass_held();
}

/// Lets those pass that may now; never into the middle of another packet.
bool Wire::pass_held() {
  if (!may_insert()) {
    return false;
  }
  bool some = false;
  while (held_.size() > (holds_current_ && !in_.cutter.between_packets() ? 1U : 0U)) {
    const std::string& message = held_.front();
    const bool is_known = may_be_known(static_cast<std::uint8_t>(message.front())) && known_.contains(id_of(message));
    if (!is_known && !may_pass()) {
      break;
    }
    if (!is_known) {
      pass(message.size());
    }
    held_bytes_ -= message.size();
    ready_ += message;
    held_.pop_front();
    some = true;
  }
  return some;
}

std::size_t Wire::unconsumed() const {
  const std::scoped_lock lock(mutex_);
  return passed_.size() + held_.size();
}

bool Wire::consumed(std::size_t messages) {
  const Changing changing{*this};
  const bool nothing_ready = waiting() == 0;
  const bool paused = !may_read_ahead();
  for (; messages > 0 && !passed_.empty(); --messages) {
    passed_bytes_ -= passed_.front();
    passed_.pop_front();
    if (at_most_) {
      --*at_most_;
    }
  }
  return tell_resumed(paused, pass_held()) && nothing_ready;
}

bool Wire::pass_at_most(std::optional<std::size_t> messages) {
  const Changing changing{*this};
  const bool nothing_ready = waiting() == 0;
  const bool paused = !may_read_ahead();
  at_most_ = messages;
  return tell_resumed(paused, pass_held()) && nothing_ready;
}

bool Wire::read_without_limit(bool yes) {
  if (!yes) {
    without_limit_ = false;  // at once: where much comes, the lock is held for as long as there is no limit
  }
  const std::scoped_lock lock(mutex_);
  const bool paused = !may_read_ahead();
  without_limit_ = yes;
  (void)tell_resumed(paused, false);
  return paused;
}

/// After a change by which reading may go on, which had `paused`, or some messages have `passed`: whether one of the
/// two is so. While it paused poll(2) was not asked: there may be something to read.
bool Wire::tell_resumed(bool paused, bool passed) {
  const bool resumed = paused && may_read_ahead();
  is_drained_ = is_drained_ && !resumed;
  return resumed || passed;
}

void Wire::watch(Way way, Watched& watched, const PacketCutter::Piece& piece) {
  if (piece.begins) {
    watched.wanted = observer_.wants(way, piece.first_byte, piece.packet_size);
    watched.bytes.clear();
  }
  if (!watched.wanted) {
    return;
  }
  std::string_view shown = piece.bytes;
  if (type_of(piece.first_byte) == PacketType::publish) {
    shown = shown.substr(0, publish_shown - std::min(publish_shown, watched.bytes.size()));
  }
  if (piece.begins && piece.ends) {
    observer_.sees(way, shown);
    return;
  }
  watched.bytes += shown;
  if (piece.ends) {
    observer_.sees(way, watched.bytes);
  }
}

std::optional<std::string> Wire::last_word() {
  const Changing changing{*this};
  read_ahead();
  return fault_ ? fault_ : channel_.last_word();
}

}  // namespace sistem
