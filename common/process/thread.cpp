#include "common/process/thread.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "common/text/words.hpp"
#include "common/tricks.hpp"

namespace sistem {
namespace {

/// Of every thread; one that has just ended needs nothing.
void run_on(const cpu_set_t& cpus) {
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", failed)) {
    if (const auto thread = number_of<pid_t>(entry.path().filename().string())) {
      (void)::sched_setaffinity(*thread, sizeof cpus, &cpus);
    }
  }
}

/// The CPU with that place among those of a set.
int member(const cpu_set_t& cpus, int place) {
  int cpu = 0;
  for (int before = 0; !CPU_ISSET(cpu, &cpus) || before < place; ++cpu) {
    before += CPU_ISSET(cpu, &cpus) ? 1 : 0;
  }
  return cpu;
}

}  // namespace

OneCpu::OneCpu(int which) {
  if (!tricks::one_cpu || ::sched_getaffinity(0, sizeof before_, &before_) != 0 || CPU_COUNT(&before_) < 2) {
    return;
  }
  const int cpu = which < 0 ? ::sched_getcpu() : member(before_, which % CPU_COUNT(&before_));
  if (cpu < 0 || cpu >= CPU_SETSIZE) {
    return;
  }
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  run_on(one);
  is_in_force_ = true;
}

OneCpu::~OneCpu() {
  if (is_in_force_) {
    run_on(before_);
  }
}

#if !defined(NDEBUG)
namespace {

/// The places of the mutexes that this thread has.
thread_local std::vector<int> held;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

}  // namespace

void Mutex::lock() {
  if (std::any_of(held.begin(), held.end(), [this](int place) { return place >= place_; })) {
    fmt::print(stderr, "a mutex of place {} is locked by a thread that has one of place {}\n", place_,
               *std::max_element(held.begin(), held.end()));
    std::abort();
  }
  mutex_.lock();
  held.push_back(place_);
}

/// Never waits, so that its order matters not.
bool Mutex::try_lock() {
  if (!mutex_.try_lock()) {
    return false;
  }
  held.push_back(place_);
  return true;
}

void Mutex::unlock() {
  held.erase(std::find(held.begin(), held.end(), place_));
  mutex_.unlock();
}

#endif

}  // namespace sistem
