#pragma once

#include <condition_variable>
#include <mutex>

namespace sistem {

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

}  // namespace sistem
