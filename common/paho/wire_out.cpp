// A wire's way to the broker.
#include "common/paho/wire.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace sistem {
namespace {

/// The first byte of PUBACK as that of PUBREC.
constexpr char puback_to_pubrec = 0x10;

constexpr std::string_view pingresp{"\xD0\0", 2};

std::string joined(std::span<const iovec> parts) {
  std::string all;
  for (const iovec& part : parts) {
    all += text_of(part);
  }
  return all;
}

}  // namespace

void Wire::send(std::span<const iovec> packet) {
  const LockedUpdate update{*this};
  const PacketType type = type_of(static_cast<std::uint8_t>(text_of(packet.front()).front()));
  if (!is_to_be_sent(packet, type)) {
    return;
  }
  std::string answer;
  iovec instead{};
  if (type == PacketType::puback && (held_ || !admission_.all_exchanged())) {
    answer = joined(packet);
    const std::uint16_t id = packet_id_of(answer).value_or(0);
    if (admission_.had_qos_2(id)) {
      answer.front() = static_cast<char>(answer.front() ^ puback_to_pubrec);
    }
    if (held_) {
      acknowledge(id, std::move(answer));
      return;
    }
    instead = {answer.data(), answer.size()};
    packet = {&instead, 1};
  }
  after_sending(queue_.send(packet));
}

/// Lets the acknowledgement of a message go, with the next packet that is sent: now, or when it is held no more.
void Wire::acknowledge(std::uint16_t id, std::string packet) {
  if (is_broken_) {
    return;
  }
  if (!held_) {
    queue_.append(packet);
    return;
  }
  held_->hold(id, std::move(packet));
  let_go();
}

/// Of the acknowledgements that are held, those whose messages are written.
void Wire::let_go() {
  while (const auto next = held_->next()) {
    queue_.append(*next);
  }
}

bool Wire::written(std::span<const std::uint16_t> ids) {
  const LockedUpdate update{*this};
  for (const std::uint16_t id : ids) {
    held_->written(id);
  }
  if (is_broken_) {
    return false;
  }
  let_go();
  push();
  return queue_.has_unsent();
}

bool Wire::is_to_be_sent(std::span<const iovec> packet, PacketType type) {
  if (is_broken_ || ending_.violation()) {
    return false;
  }
  switch (type) {
    case PacketType::pingreq: return !is_needless_ping();
    case PacketType::disconnect: return !drops_goodbyes_ && !ending_.has_come();
    case PacketType::publish:
      // None may overtake those that wait.
      if (observer_.resends && qos_of(static_cast<std::uint8_t>(text_of(packet.front()).front())) > 0) {
        kept_.push_back(joined(packet));
        send_kept();
        return false;
      }
      return true;
    default: return true;
  }
}

/// While something waits for room the library does not see that it is on its way, takes the connection for idle and
/// sends PINGREQ, which would wait too: for the answer it would wait one and a half times the keep alive, and give up
/// [MQTT5 3.1.2.10]. If bytes have gone since the last one the connection is well, so the answer is ours.
bool Wire::is_needless_ping() {
  if (!queue_.is_full() || !pulse_.went_since_asked() || ending_.has_come()) {
    return false;
  }
  ready_.append(pingresp);
  return true;
}

/// Sends those of them that need wait no longer.
void Wire::send_kept() {
  while (!kept_.empty()) {
    const auto [now, answer] = observer_.resends(packet_id_of(kept_.front()).value_or(0));
    if (now) {
      queue_.append(kept_.front());
    } else if (!answer.empty()) {
      ready_.append(answer);
    } else {
      return;
    }
    kept_.pop_front();
  }
}

void Wire::after_sending(int error) {
  if (error != 0 && error != EAGAIN) {
    // If a PUBLISH fails for good, Paho frees its topic and keeps the message, to send it again in a session that goes
    // on (1.3.12: a use after free). So nothing ever fails for Paho here; the end is told where it reads.
    fail(error);
  }
  if (is_broken_) {
    return;
  }
  tell_handed_on();
  if (!queue_.has_unsent()) {
    changed_.notify_all();
  }
}

/// Of bytes that the channel has taken.
void Wire::watch_sent(std::string_view bytes) {
  const auto now = std::chrono::steady_clock::now();
  pulse_.sent(bytes.size(), now);
  while (const auto piece = out_.cutter.next(bytes)) {
    show_sent(*piece);
    if (!piece->ends) {
      continue;
    }
    if (type_of(piece->first_byte) == PacketType::pingreq) {
      pulse_.pinged();
      answer_ping();
    } else if (type_of(piece->first_byte) == PacketType::publish && qos_of(piece->first_byte) == 0) {
      ++handed_on_.to_channel;
    }
  }
}

void Wire::show_sent(const PacketCutter::Piece& piece) {
  if (piece.begins) {
    out_.is_wanted = observer_.wants(Way::out, piece.first_byte, piece.packet_size);
    out_.is_the_gates = Gate::needs_sent(piece.first_byte);
    out_.bytes.clear();
  }
  if (!out_.is_wanted && !out_.is_the_gates) {
    return;
  }
  std::string_view shown = piece.bytes;
  if (type_of(piece.first_byte) == PacketType::publish) {
    shown = shown.substr(0, publish_shown - std::min(publish_shown, out_.bytes.size()));
  }
  if (!piece.begins || !piece.ends) {
    out_.bytes += shown;
    if (!piece.ends) {
      return;
    }
    shown = out_.bytes;
  }
  if (out_.is_the_gates) {
    gate_.on_sent(shown);
  }
  if (out_.is_wanted) {
    observer_.on_packet(Way::out, shown);
  }
}

/// What waits in the channel, which takes a packet whole before the system does, is not with the system.
void Wire::tell_handed_on() {
  const std::uint64_t before = handed_on_.to_system;
  if (!channel_.has_unsent()) {
    handed_on_.to_system = handed_on_.to_channel;
  }
  const bool all = !queue_.has_unsent();
  if (handed_on_.to_system != before || (all && !handed_on_.all)) {
    observer_.on_handed_on(handed_on_.to_system, all);
  }
  handed_on_.all = all;
}

/// The connection is gone, and nobody knows what will become of what the system has. What it does not have was not
/// sent.
void Wire::fail(int error) {
  if (std::exchange(is_broken_, true)) {
    return;
  }
  observer_.on_handed_on(handed_on_.to_system, false);
  queue_.clear();
  read_ahead();  // what had come before, an alert of TLS perhaps
  stop(error);
  observer_.on_lost();
}

bool Wire::flush() {
  const LockedUpdate update{*this};
  push();
  return queue_.has_unsent();
}

/// If the broker is not read from because nobody takes its messages, its PINGRESP would not be seen, and the library
/// would give up a connection that is well. The broker's own comes later, and means nothing then.
void Wire::answer_ping() {
  if (!ending_.has_come() && !may_read_messages()) {
    ready_.append(pingresp);
  }
}

bool Wire::ping_after(std::chrono::steady_clock::duration idle) {
  const LockedUpdate update{*this};
  const auto now = std::chrono::steady_clock::now();
  if (ending_.has_come() || is_broken_ || now - pulse_.last_sent() < idle || queue_.has_unsent()) {
    return false;
  }
  queue_.append(pingreq);
  push();
  return queue_.has_unsent();
}

bool Wire::wait_until_sent(Deadline deadline) {
  LockedUpdate update{*this};
  push();
  return changed_.wait_until(update.lock, deadline, [&] { return ending_.has_come() || !queue_.has_unsent(); }) &&
         !ending_.has_come();
}

void Wire::announce_goodbye() {
  const LockedUpdate update{*this};
  drops_goodbyes_ = false;
}

void Wire::end() {
  const LockedUpdate update{*this};
  if (drops_goodbyes_) {  // the library gives up; what has arrived and was not read may say why
    read_ahead();
    ending_.by_library();
  }
  push();
  channel_.end();
  if (!queue_.has_unsent()) {
    (void)::shutdown(channel_.fd(), SHUT_WR);
  }
}

bool Wire::wait_until_exchanged(Deadline deadline) {
  LockedUpdate update{*this};
  const auto is_over = [&] { return ending_.has_come() || admission_.all_exchanged() || (held_ && !held_->empty()); };
  return changed_.wait_until(update.lock, deadline, is_over) && admission_.all_exchanged();
}

void Wire::drain(Deadline deadline) {
  {
    const LockedUpdate update{*this};
    if (ending_.has_come() || is_broken_) {
      return;
    }
    ending_.come(0);  // nobody else reads from here on
  }
  bool is_shut = false;
  while (true) {
    if (!is_shut) {
      const LockedUpdate update{*this};
      push();
      if (is_broken_) {
        return;
      }
      is_shut = !queue_.has_unsent();
      if (is_shut) {
        (void)::shutdown(channel_.fd(), SHUT_WR);
      }
    }
    std::array<char, 16 << 10> bytes;  // NOLINT(cppcoreguidelines-pro-type-member-init): nobody looks at them
    const ssize_t count = ::read(channel_.fd(), bytes.data(), bytes.size());
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) ||
        std::chrono::steady_clock::now() >= deadline) {
      return;
    }
    const auto events = static_cast<std::int16_t>(POLLIN | (is_shut ? 0 : POLLOUT));
    if (count < 0 && wait_for(channel_.fd(), events, deadline, {}) != Woken::ready) {
      return;
    }
  }
}

}  // namespace sistem
