#include "common/paho/wires.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/paho/receive_thread.hpp"

namespace sistem {
namespace {

constexpr int port = 1;  // any

}  // namespace

std::string Wires::uri_of(int client) { return fmt::format("tcp://{}:{}", client, port); }

void Wires::offer(int client, std::shared_ptr<Wire> wire, std::shared_ptr<const Urgency> urgency) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(offered_, [&](const auto& one) { return one->client == client; });
  if (wire) {
    offered_.push_back(std::make_shared<Attached>(Attached{0, client, std::move(wire), std::move(urgency)}));
  }
}

std::optional<int> Wires::attach(int client) {
  const std::scoped_lock lock(mutex_);
  const auto found =
      std::find_if(offered_.begin(), offered_.end(), [&](const auto& one) { return one->client == client; });
  if (found == offered_.end()) {
    return std::nullopt;
  }
  Attached attached = **found;
  offered_.erase(found);
  attached.socket = ++sockets_;
  attached_.push_back(std::make_shared<Attached>(std::move(attached)));
  ++generation_;
  receive_thread::wake();  // whoever waits for other wires must wait for this one too
  return sockets_;
}

void Wires::detach(int socket) {
  All gone;  // the last owner may end here, which closes a connection: not with the lock held
  const std::scoped_lock lock(mutex_);
  const auto keeps = [&](const auto& one) { return one->socket != socket; };
  const auto first = std::stable_partition(attached_.begin(), attached_.end(), keeps);
  gone.assign(std::move_iterator(first), std::move_iterator(attached_.end()));
  attached_.erase(first, attached_.end());
  ++generation_;
  receive_thread::wake();
}

const Wires::All& Wires::all() const {
  thread_local std::uint64_t seen = 0;
  thread_local All last;
  if (const std::uint64_t generation = generation_; seen != generation) {
    All now;
    {
      const std::scoped_lock lock(mutex_);
      now = attached_;
    }
    std::swap(last, now);
    seen = generation;
  }
  return last;
}

Wire* Wires::at(int socket) const {
  for (const auto& one : all()) {
    if (one->socket == socket) {
      return one->wire.get();
    }
  }
  return nullptr;
}

bool Wires::urgent() const {
  const All& now = all();
  return std::any_of(now.begin(), now.end(), [](const auto& one) { return one->urgency->any(); });
}

Wires& wires() {
  static auto* const all = new Wires;
  return *all;
}

}  // namespace sistem
