// A wire's way from the broker.
#include "common/paho/wire.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "common/net/first_answer.hpp"

namespace sistem {
namespace {

constexpr std::size_t block = 64 << 10;

/// At most this much is read ahead for a library that is slower than the network.
constexpr std::size_t ready_limit = block;

/// At most so many blocks are read at once: others need the lock, too.
constexpr int blocks_at_once = 16;

/// The first byte of a PUBLISH of QoS 2 as that of one of QoS 1, but for the other flags.
constexpr char publish_qos_2_to_1 = 0x06;

}  // namespace

char* Wire::take(std::size_t size) {
  if (!ready_.is_being_taken()) {
    const LockedUpdate update{*this};
    if (!ready_.has_ready() && !in_.is_drained) {
      read_ahead();
    }
    if (!ready_.take_over()) {
      return nullptr;
    }
  }
  return ready_.take(size);
}

bool Wire::has_ended() const {
  const Lock lock(mutex_);
  return ending_.has_come() && ready_.size() == 0;
}

std::int16_t Wire::awaited() {
  const LockedUpdate update{*this};
  is_room_awaited_ = queue_.has_unsent();
  return static_cast<std::int16_t>((reads() ? POLLIN : 0) | (is_room_awaited_ ? POLLOUT : 0));
}

bool Wire::advance(bool readable) {
  {
    const LockedUpdate update{*this};
    in_.is_drained = in_.is_drained && !readable;
    if (ready_.size() == 0 && !in_.is_drained) {  // not sooner, or arrival() would be the time of what comes later
      read_ahead();
    }
  }
  if (!has_ready()) {
    observer_.on_idle();  // first: acknowledgements have more time than who waits for a message
  }
  const LockedUpdate update{*this};
  push();
  check_pulse();
  return ready_.size() > 0 || ending_.has_come();
}

void Wire::check_pulse() {
  if (ending_.has_come() || is_broken_ || !gate_.is_accepted()) {
    return;
  }
  const auto [act, why] =
      pulse_.examine({std::chrono::steady_clock::now(), arrival_.steady, reads() || queue_.is_stuffed(),
                      queue_.has_unsent(), !in_.cutter.between_packets(), [this] { return queued_in_system(); }});
  if (act == Pulse::Act::ping) {
    queue_.append(pingreq);
    push();
  } else if (act == Pulse::Act::give_up) {
    ending_.for_silence(why);
    changed_.notify_all();
  }
}

/// Nothing more comes.
void Wire::stop(int error) {
  ending_.come(error);
  changed_.notify_all();
}

bool Wire::reads() const {
  return !ending_.has_come() && ready_.size() < ready_limit && !queue_.is_stuffed() && may_read_messages();
}

bool Wire::may_read_messages() const { return admission_.may_read(in_.is_message ? in_.bytes.size() : 0); }

void Wire::read_ahead() {
  std::array<char, block> bytes;  // NOLINT(cppcoreguidelines-pro-type-member-init): 64 KiB that are written next
  for (int blocks = 0; blocks < blocks_at_once && reads(); ++blocks) {
    const ssize_t count = channel_.read(bytes.data(), bytes.size());
    if (count < 0 && errno == EAGAIN) {
      in_.is_drained = true;
      return;
    }
    if (count <= 0) {
      stop(count == 0 ? 0 : errno);
      return;
    }
    note_arrival();
    const std::string_view received{bytes.data(), static_cast<std::size_t>(count)};
    try {
      check_beginning(received);
      sort(received);
    } catch (const Violation& violation) {
      end_for(violation);
    } catch (const Malformed& malformed) {
      end_for(Violation::malformed(malformed.what()));
    }
    if (static_cast<std::size_t>(count) < bytes.size() && !channel_.reads_ahead()) {
      in_.is_drained = true;
      return;
    }
  }
}

/// What is not MQTT must not reach whoever looks for packets in it: they would wait for one of 60 MB.
void Wire::check_beginning(std::string_view bytes) {
  if (!in_.beginning) {
    return;
  }
  constexpr std::size_t a_line = 256;
  *in_.beginning += bytes.substr(0, a_line);
  if (const auto words = not_mqtt(*in_.beginning)) {
    throw Violation(Violation::protocol_error, *words);
  }
  if (in_.beginning->size() >= telling_bytes) {
    in_.beginning.reset();
  }
}

void Wire::note_arrival() {
  const auto now = std::chrono::system_clock::now();
  const auto arrival = std::min(now, channel_.arrival());  // the kernel's clock may have been set back since
  arrival_.system = arrival;
  arrival_.steady = std::chrono::steady_clock::now() - (now - arrival);
}

/// Sends each packet its way, once it is whole.
void Wire::sort(std::string_view bytes) {
  while (const auto piece = ending_.has_come() ? std::nullopt : in_.cutter.next(bytes)) {
    if (piece->begins) {
      gate_.on_begin(piece->first_byte);
      if (piece->ends) {
        on_whole(piece->bytes, nullptr);
        continue;
      }
      pulse_.begun(arrival_.steady);
      in_.bytes.clear();
      in_.is_message = type_of(piece->first_byte) == PacketType::publish;
      in_.is_dropped = in_.is_message && !admission_.lets_in(qos_of(piece->first_byte));
      if (in_.is_message) {
        (void)gate_.head_of(piece->bytes);  // what is wrong at its beginning is not read to its end
      }
    }
    const std::size_t room = publish_shown - std::min(publish_shown, in_.bytes.size());
    in_.bytes += in_.is_dropped ? piece->bytes.substr(0, room) : piece->bytes;
    if (piece->ends) {
      std::string packet = std::exchange(in_.bytes, {});
      if (in_.is_dropped) {
        show_received(packet);
      } else {
        on_whole(packet, &packet);
      }
    }
  }
  pass_held();
  send_kept();
}

/// `own`: the same bytes, which may be moved from; nullptr if they are a part of others.
void Wire::on_whole(std::string_view packet, std::string* own) {
  if (type_of(static_cast<std::uint8_t>(packet.front())) != PacketType::publish) {
    on_other(packet);
    return;
  }
  const Gate::PublishHead head = gate_.head_of(packet).value_or(Gate::PublishHead{});
  show_received(packet);
  switch (admission_.admit(head, packet.size())) {
    case Admission::Fate::passes: pass(packet, own, head); break;
    case Admission::Fate::waits: admission_.hold({own != nullptr ? std::move(*own) : std::string(packet), head}); break;
    case Admission::Fate::is_known: acknowledge(head.id, acknowledgement(PacketType::pubrec, head.id)); break;
    case Admission::Fate::is_dropped: break;
  }
}

/// A message goes to the library.
void Wire::pass(std::string_view packet, std::string* own, const Gate::PublishHead& head) {
  if (held_ && head.qos > 0) {
    held_->await(head.id);
  }
  char& first = own != nullptr ? ready_.append(std::move(*own)) : ready_.append(packet);
  if (qos_of(static_cast<std::uint8_t>(first)) == 2) {
    first = static_cast<char>(first ^ publish_qos_2_to_1);
  }
}

/// Lets those pass that may now.
bool Wire::pass_held() {
  bool some = false;
  while (auto next = admission_.next()) {
    auto& [message, fate] = *next;
    if (fate == Admission::Fate::passes) {
      pass(message.packet, &message.packet, message.head);
      some = true;
    } else {
      acknowledge(message.head.id, acknowledgement(PacketType::pubrec, message.head.id));
    }
  }
  return some;
}

/// A packet that is no message.
void Wire::on_other(std::string_view packet) {
  const PacketType type = type_of(static_cast<std::uint8_t>(packet.front()));
  const Gate::Verdict verdict = gate_.on_received(packet);
  if (verdict.act == Gate::Act::keep_back) {
    if (observer_.on_kept_back) {
      observer_.on_kept_back(packet, verdict.why);
    }
    insert(verdict.reply);
    return;
  }
  show_received(packet);
  if (type == PacketType::pubrel) {
    // It is answered also if its packet id is unknown: another process may have sent the PUBREC.
    const std::uint16_t id = packet_id_of(packet).value_or(0);
    insert(gate_.answer(PacketType::pubcomp, id, admission_.end_exchange(id)));
    if (admission_.all_exchanged()) {
      changed_.notify_all();
    }
    return;
  }
  pulse_.answered(arrival_.steady);
  if (type == PacketType::pingresp) {
    pulse_.answered_ping();
  }
  if (verdict.act != Gate::Act::refuse) {
    ready_.append(packet);
  }
  if (verdict.act != Gate::Act::pass) {
    stop(0);
  }
}

/// Nothing more of this broker is read, and all that it gets is a word why [MQTT5 4.13.1].
void Wire::end_for(const Violation& violation) {
  ending_.for_violation(violation);
  changed_.notify_all();
  in_.bytes.clear();
  kept_.clear();
  if (gate_.is_accepted() && gate_.version() == ProtocolVersion::v5 && !is_broken_) {
    const std::array<char, 3> disconnect{'\xE0', '\1', static_cast<char>(violation.code())};
    queue_.append({disconnect.data(), disconnect.size()});
    push();
  }
}

/// Sends an acknowledgement of our own, with the next that is sent.
void Wire::insert(const std::string& acknowledgement) {
  if (!is_broken_) {
    queue_.append(acknowledgement);
  }
}

void Wire::show_received(std::string_view packet) {
  const auto first = static_cast<std::uint8_t>(packet.front());
  if (observer_.wants(Way::in, first, packet.size())) {
    observer_.on_packet(Way::in, type_of(first) == PacketType::publish ? packet.substr(0, publish_shown) : packet);
  }
}

template <typename Change>
bool Wire::tell_resumed(Change change) {
  const bool nothing_ready = ready_.size() == 0;
  const bool paused = !reads();
  change();
  const bool passed = pass_held();
  // While it paused poll(2) was not asked: there may be something to read.
  const bool resumed = paused && reads();
  in_.is_drained = in_.is_drained && !resumed;
  return (passed || resumed) && nothing_ready;
}

std::size_t Wire::unconsumed() const {
  const Lock lock(mutex_);
  return admission_.unconsumed();
}

bool Wire::consumed(std::size_t messages) {
  const LockedUpdate update{*this};
  return tell_resumed([&] { admission_.consumed(messages); });
}

bool Wire::pass_at_most(std::optional<std::size_t> messages) {
  const LockedUpdate update{*this};
  return tell_resumed([&] { admission_.limit(messages); });
}

bool Wire::admit_no_more() {
  const LockedUpdate update{*this};
  return tell_resumed([&] {
    admission_.close();
    in_.is_dropped = in_.is_dropped || in_.is_message;
    in_.bytes.resize(std::min(in_.bytes.size(), publish_shown));  // and what is left of it waits for nothing
  });
}

bool Wire::read_without_limit(bool yes) {
  if (!yes) {
    admission_.read_without_limit(false);  // at once: where much comes, the lock is hard to get as long as it has none
  }
  const LockedUpdate update{*this};
  return tell_resumed([&] { admission_.read_without_limit(yes); });
}

}  // namespace sistem
