// A wire: how it begins, how it is, and how it has ended. Its two ways are in wire_out.cpp and wire_in.cpp.
#include "common/paho/wire.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace sistem {

Wire::Wire(Channel channel, Observer observer, const Start& start)
    : channel_(std::move(channel)),
      observer_(std::move(observer)),
      gate_(start.version, start.carried),
      pulse_(std::chrono::steady_clock::now()),
      queue_(channel_, start.gathers, [this](std::string_view bytes) { watch_sent(bytes); }),
      drops_goodbyes_(start.drops_goodbyes),
      admission_(start.admits, start.at_most, start.known) {
  admission_.read_without_limit(start.without_limit);
  if (start.holds_acknowledgements) {
    held_.emplace(start.unwritten);
  }
  if (start.awaits_connack) {
    in_.beginning.emplace();
  }
}

std::uint64_t Wire::queued_in_system() const {
  int bytes = 0;
  return ::ioctl(channel_.fd(), SIOCOUTQ, &bytes) == 0 && bytes > 0 ? static_cast<std::uint64_t>(bytes) : 0;
}

void Wire::note_changes() {
  shown_.has_ready = ready_.has_ready() || ending_.has_come();
  shown_.has_gathered = queue_.size() > 0;
  shown_.needs_reader = queue_.is_full() && !is_room_awaited_;
}

void Wire::keep_alive(std::chrono::seconds interval) {
  const Lock lock(mutex_);
  pulse_.keep_alive(interval);
}

bool Wire::awaits_pingresp() const {
  const Lock lock(mutex_);
  return pulse_.awaits_answer();
}

std::set<std::uint16_t> Wire::under_way() const {
  const Lock lock(mutex_);
  return gate_.under_way();
}

std::size_t Wire::backlog() const {
  const Lock lock(mutex_);
  const std::uint64_t in_system = ending_.has_come() ? 0 : queued_in_system();
  return queue_.size() + (channel_.has_unsent() ? 1 : 0) + static_cast<std::size_t>(in_system);
}

bool Wire::has_sent() const {
  const Lock lock(mutex_);
  return pulse_.sent_bytes() > 0;
}

std::optional<Violation> Wire::violation() const {
  const Lock lock(mutex_);
  return ending_.violation();
}

bool Wire::is_closed_by_peer() const {
  const Lock lock(mutex_);
  return ending_.is_by_peer();
}

std::optional<std::chrono::steady_clock::duration> Wire::closed_by_peer_after() {
  const LockedUpdate update{*this};
  read_ahead();
  return ending_.is_closed_by_peer() ? std::optional(std::chrono::steady_clock::now() - pulse_.last_sent())
                                     : std::nullopt;
}

std::optional<std::string> Wire::last_word() {
  const LockedUpdate update{*this};
  read_ahead();
  const auto fault = ending_.fault();
  return fault ? fault : channel_.last_word();
}

std::string Wire::why_lost() {
  if (const auto word = last_word()) {
    return *word;
  }
  const Lock lock(mutex_);
  return ending_.words(pulse_.words_on_ping(std::chrono::steady_clock::now()));
}

}  // namespace sistem
