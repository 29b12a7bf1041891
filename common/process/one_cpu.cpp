#include "common/process/one_cpu.hpp"

#include <charconv>
#include <filesystem>
#include <string>
#include <system_error>

#include "common/tricks.hpp"

namespace sistem {
namespace {

/// Of every thread; one that has just ended needs nothing.
void run_on(const cpu_set_t& cpus) {
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", failed)) {
    const std::string name = entry.path().filename();
    pid_t thread = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), thread).ec == std::errc{}) {
      (void)::sched_setaffinity(thread, sizeof cpus, &cpus);
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

}  // namespace sistem
