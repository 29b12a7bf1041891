#include "common/paho/send_thread.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "common/paho/receive_thread.hpp"
#include "common/paho/wires.hpp"
#include "common/tricks.hpp"

/// Of Paho C. Its send thread is a loop around it: takes the first command that can be carried out from the queue into
/// which publish() has put it, and does it with Paho's mutex held from beginning to end; so any thread may call it that
/// does not hold that one. 0 if there is none. Static there, and made known to the linker by CMakeLists.txt; a Paho
/// that does not have it makes this null.
extern "C" [[gnu::weak]] int MQTTAsync_processCommand();  // NOLINT(readability-identifier-naming)

namespace sistem::send_thread {
namespace {

using std::chrono::milliseconds;

/// That there is work. It is not lost where nobody waits for it yet: in Paho itself, what comes between the send
/// thread's look for work and its wait wakes nobody, and then one one-shot pub in a thousand took a second (1.3.12).
class Work {
 public:
  void signal() {
    {
      const std::scoped_lock lock(mutex_);
      is_there_ = true;
    }
    changed_.notify_one();
  }
  /// False if there was none in that time.
  bool wait(milliseconds timeout) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, timeout, [&] { return is_there_; });
    return std::exchange(is_there_, false);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_there_ = false;
};

/// Never destroyed, as Paho's threads are not.
Work& work() {
  static auto* const one = new Work;
  return *one;
}

/// What this thread has put off.
struct Owed {
  bool is_put_off = false;
  int signals = 0;
  bool is_for_answers = false;
};
thread_local Owed owed;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

/// Sends what wires have gathered. True if something went.
bool send_gathered() {
  bool any = false;
  for (const auto& one : wires().all()) {
    if (one->wire->has_gathered()) {
      if (one->wire->flush()) {
        receive_thread::wake();  // which must wait for room now
      } else {
        any = true;
      }
    }
  }
  return any;
}

/// Does as the send thread up to its wait. How many commands were done.
int send_here() {
  int done = 0;
  if (tricks::sent_here && MQTTAsync_processCommand != nullptr) {
    do {
      while (MQTTAsync_processCommand() != 0) {
        ++done;
      }
    } while (send_gathered());
  }
  return done;
}

}  // namespace

PutOff::PutOff() { owed.is_put_off = tricks::woken_together; }

PutOff::~PutOff() {
  if (!is_kept_) {
    wake();
  }
}

void wake() {
  owed.is_put_off = false;
  // What must wait for something is the send thread's: it looks for that again.
  if (const int signals = std::exchange(owed.signals, 0); signals > 0 && send_here() < signals) {
    work().signal();
  }
}

void reading_begins() {
  const auto& all = wires().all();
  owed.is_for_answers =
      std::any_of(all.begin(), all.end(), [](const auto& one) { return one->urgency->messages.load(); });
  owed.is_put_off = tricks::woken_together;
}

void reading_ends() {
  owed.is_put_off = false;
  if (std::exchange(owed.signals, 0) > 0 && !owed.is_for_answers) {
    work().signal();
  }
}

}  // namespace sistem::send_thread

// Two functions of Paho's module Thread.c, which are for its send thread alone. Its own are weak (CMakeLists.txt). Up
// to Paho C 1.3.15 their names end in _cond, from 1.3.16 on in _evt.
extern "C" {  // NOLINTBEGIN(readability-identifier-naming)

int Thread_signal_cond(void* /*condition*/) {
  using namespace sistem::send_thread;
  if (owed.is_put_off) {
    ++owed.signals;
  } else {
    work().signal();
  }
  return 0;
}

/// The send thread has nothing more to send for the moment: what was gathered must go. While somebody waits for an
/// answer it looks for work again soon, since what must wait for something wakes nobody when that is there.
int Thread_wait_cond(void* /*condition*/, int timeout_ms) {
  using namespace sistem::send_thread;
  if (send_gathered()) {
    return 0;
  }
  constexpr milliseconds soon{5};
  const milliseconds timeout{timeout_ms};
  return work().wait(sistem::wires().urgent() ? std::min(timeout, soon) : timeout) ? 0 : ETIMEDOUT;
}

int Thread_signal_evt(void* event) { return Thread_signal_cond(event); }
int Thread_wait_evt(void* event, int timeout_ms) { return Thread_wait_cond(event, timeout_ms); }

}  // NOLINTEND(readability-identifier-naming)
