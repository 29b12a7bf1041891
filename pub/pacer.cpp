#include "pub/pacer.hpp"

namespace sistem {

bool Pacer::wait(const std::stop_token& stop) {
  if (interval_ == interval_.zero()) {
    return !stop.stop_requested();
  }
  const auto now = std::chrono::steady_clock::now();
  if (due_ + interval_ < now) {
    due_ = now;
  }
  const bool due = sleep_until(due_, stop);
  due_ += interval_;
  return due;
}

}  // namespace sistem
