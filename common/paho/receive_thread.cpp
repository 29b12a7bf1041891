#include "common/paho/receive_thread.hpp"

#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <ctime>
#include <vector>

#include "common/paho/send_thread.hpp"
#include "common/paho/wires.hpp"
#include "common/tricks.hpp"

namespace sistem::receive_thread {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// An eventfd that ends the wait.
int waker() {
  static const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return fd;
}

/// For a thread that has hardly had to wait, time after time: it is in a flood of which each packet wakes it. A nap
/// before each wait lets it find several at once: messages of QoS 1 by way of a Mosquitto came a third faster, with
/// half the CPU time. If it finds no more than one, because the next comes only when that is answered, it leaves it
/// alone for a while.
class Nap {
 public:
  /// Something was there to read without a wait.
  void found_one() { ++found_; }

  void before_waiting(bool is_allowed) {
    const bool brought_several = found_ > 0;
    found_ = 0;
    if (has_napped_) {
      has_napped_ = false;
      in_vain_ = brought_several ? 0 : in_vain_ + 1;
      if (in_vain_ == 3) {
        in_vain_ = 0;
        pause_ = 1000;
      }
    }
    if (tricks::nap && is_allowed && hardly_waited_ >= often && pause_ == 0) {
      constexpr timespec time{0, 20'000};  // which the kernel makes 70 us of
      ::nanosleep(&time, nullptr);
      has_napped_ = true;
    }
    began_ = steady_clock::now();
  }

  void after_waiting() {
    const bool hardly = steady_clock::now() - began_ < std::chrono::microseconds{50};
    hardly_waited_ = hardly ? std::min(hardly_waited_ + 1, often) : 0;
    pause_ -= pause_ > 0 && hardly ? 1 : 0;
  }

 private:
  static constexpr int often = 16;
  int found_ = 0;
  int hardly_waited_ = 0;  ///< in a row
  bool has_napped_ = false;
  int in_vain_ = 0;  ///< naps in a row that brought no more than one
  int pause_ = 0;    ///< so many short waits without a nap
  steady_clock::time_point began_;
};

/// Of this thread, of which there is one.
Nap& nap() {
  static Nap one;
  return one;
}

int system_poll(std::vector<pollfd>& fds, milliseconds timeout) {
  return ::poll(fds.data(), fds.size(), static_cast<int>(timeout.count()));
}

/// For a thread that waits for acknowledgements: a look or two more before it falls asleep, for to be woken costs more
/// than a broker that does nothing else takes to answer. Where three in a row are in vain it leaves it for a while.
class Spin {
 public:
  /// What poll(2) says; 0 where nothing came so soon.
  int wait(std::vector<pollfd>& fds) {
    if (pause_ > 0) {
      --pause_;
      return 0;
    }
    const auto end = steady_clock::now() + std::chrono::microseconds{30};
    do {
      ::sched_yield();  // who publishes may have more, perhaps on this CPU
      if (const int ready = system_poll(fds, milliseconds{0}); ready != 0) {
        in_vain_ = 0;
        return ready;
      }
    } while (steady_clock::now() < end);
    if (++in_vain_ == 3) {
      in_vain_ = 0;
      pause_ = 1000;
    }
    return 0;
  }

 private:
  int in_vain_ = 0;
  int pause_ = 0;
};

/// poll(2), as it costs least in a flood.
int poll_in_a_flood(const Wires::All& all, std::vector<pollfd>& fds, milliseconds timeout) {
  if (timeout.count() == 0) {
    return system_poll(fds, timeout);
  }
  const bool may_nap = std::none_of(all.begin(), all.end(),
                                    [](const auto& one) { return one->urgency->times_count || one->urgency->any(); });
  if (tricks::spin &&
      std::any_of(all.begin(), all.end(), [](const auto& one) { return one->urgency->messages.load(); })) {
    static Spin spin;
    if (const int ready = spin.wait(fds); ready != 0) {
      return ready;
    }
  }
  nap().before_waiting(may_nap);
  const int ready = system_poll(fds, timeout);
  nap().after_waiting();
  return ready;
}

struct Look {
  std::optional<int> socket;  ///< of a wire that has something
  bool was_ended = false;     ///< the wait was, before its time, though it may have been for nothing
};

/// Waits once. A wire can have something for Paho when its socket has nothing, and nothing when its socket has.
Look look_once(const Wires::All& all, milliseconds timeout) {
  std::vector<pollfd> fds;
  fds.reserve(all.size() + 1);
  for (const auto& one : all) {
    if (one->wire->advance(false)) {
      timeout = milliseconds{0};  // the others are looked after all the same
    }
    const auto events = one->wire->awaited();
    fds.push_back({events == 0 ? -1 : one->wire->fd(), events, 0});  // or a hang-up would be told again and again
  }
  fds.push_back({waker(), POLLIN, 0});
  Look look{std::nullopt, poll_in_a_flood(all, fds, timeout) > 0};
  if (fds.back().revents != 0) {
    eventfd_t drained = 0;
    (void)::eventfd_read(waker(), &drained);
  }
  for (std::size_t at = 0; at < all.size(); ++at) {
    const bool is_readable = (fds[at].revents & (POLLIN | POLLERR | POLLHUP)) != 0;
    if (all[at]->wire->advance(is_readable) && !look.socket) {
      look.socket = all[at]->socket;
    }
  }
  return look;
}

/// A wire that is known to have something, without a system call, as for most messages of a flood. They take turns.
std::optional<int> known_ready(const Wires::All& all) {
  static std::size_t turn = 0;
  for (std::size_t at = 0; at < all.size(); ++at) {
    const auto& one = all[(turn + at) % all.size()];
    if (one->wire->has_ready()) {
      turn += at + 1;
      nap().found_one();
      return one->socket;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<int> wait_for_ready(milliseconds timeout) {
  if (const auto socket = known_ready(wires().all())) {
    return socket;
  }
  send_thread::reading_ends();
  const auto end = steady_clock::now() + timeout;
  const std::uint64_t generation = wires().generation();
  while (true) {
    const Look look = look_once(wires().all(), timeout);
    if (look.socket) {
      send_thread::reading_begins();
      return look.socket;
    }
    timeout = std::chrono::ceil<milliseconds>(end - steady_clock::now());
    // If wires have come or gone Paho has others to ask for.
    if (!look.was_ended || timeout.count() <= 0 || wires().generation() != generation) {
      return std::nullopt;
    }
  }
}

bool is_ready() { return waker() >= 0; }

void wake() { (void)::eventfd_write(waker(), 1); }

}  // namespace sistem::receive_thread
