#pragma once

#include <mutex>
#include <stop_token>
#include <utility>

#include "common/process/mutex.hpp"
#include "common/process/stop.hpp"

namespace sistem {

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

}  // namespace sistem
