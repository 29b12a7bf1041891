#pragma once

#include <fmt/format.h>
#include <sched.h>

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <system_error>
#include <thread>
#include <utility>

#include "common/process/error.hpp"
#include "common/process/stop.hpp"

namespace sistem {

/// Starts a thread. Throws Error where the system has none left, or no memory for its stack.
template <typename Thread = std::thread, typename Body>
[[nodiscard]] Thread start_thread(Body&& body) {
  try {
    return Thread(std::forward<Body>(body));
  } catch (const std::system_error& error) {
    throw Error{fmt::format("cannot start a thread: {}", errno_words(error.code().value()))};
  }
}

#if defined(NDEBUG)

using ConditionVariable = std::condition_variable;

/// A mutex that has a place in an order: while a thread has one it may lock only such as come later. Builds for
/// debugging check that, and end the process; others have a plain mutex.
class Mutex : public std::mutex {
 public:
  explicit Mutex(int /*place*/) {}
};
using Lock = std::unique_lock<std::mutex>;

#else

using ConditionVariable = std::condition_variable_any;

class Mutex {
 public:
  explicit Mutex(int place) : place_(place) {}
  void lock();
  bool try_lock();
  void unlock();

 private:
  std::mutex mutex_;
  const int place_;
};
using Lock = std::unique_lock<Mutex>;

#endif

/// A condition variable whose waits a stop ends as well. std::condition_variable_any has that too, but holds a mutex of
/// its own while it wakes: who is woken on the same CPU runs into it and sleeps again, which costs two switches of
/// threads a message.
class Condition {
 public:
  void notify_all() { condition_.notify_all(); }

  /// Waits until something holds, which is asked with the lock held. False where it does not: the deadline has passed,
  /// or a stop was requested, which must not be done with that mutex held.
  template <typename AnyLock, typename Predicate>
  bool wait_until(AnyLock& lock, const std::stop_token& stop, Deadline deadline, Predicate holds) {
    if (holds()) {
      return true;
    }
    auto& mutex = *lock.mutex();
    lock.unlock();  // who requests the stop needs it, and is waited for at the callback's end
    {
      const std::stop_callback wake(stop, [&] {
        const std::scoped_lock before_it_waits_or_while(mutex);
        condition_.notify_all();
      });
      lock.lock();
      while (!holds() && !stop.stop_requested() &&
             condition_.wait_until(lock, deadline) == std::cv_status::no_timeout) {
      }
      lock.unlock();
    }
    lock.lock();
    return holds();
  }
  template <typename AnyLock, typename Predicate>
  bool wait(AnyLock& lock, const std::stop_token& stop, Predicate holds) {
    return wait_until(lock, stop, never, std::move(holds));
  }

 private:
  ConditionVariable condition_;
};

/// While one lives, all threads that the process had when it was made take turns on one of the CPUs that they may use.
///
/// In a flood each message that is published passes through two threads, ours and Paho's, and through mutexes and
/// queues of Paho's that both need. On two CPUs they meet there at nearly every message, which costs more than the
/// second CPU brings; on one each does many before the other has its turn (docs/performance.md).
class OneCpu {
 public:
  /// The first, second ... of the CPUs that there are, after the last the first again; less than 0: where we are.
  /// Where the system does not allow it, all stays as it is.
  explicit OneCpu(int which = -1);
  OneCpu(const OneCpu&) = delete;
  OneCpu& operator=(const OneCpu&) = delete;
  ~OneCpu();

 private:
  cpu_set_t before_{};
  bool is_in_force_ = false;
};

}  // namespace sistem
