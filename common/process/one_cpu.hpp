#pragma once

#include <sched.h>

namespace sistem {

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
