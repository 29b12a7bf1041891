#include "pub/pacer.hpp"

namespace sistem {

Deadline Pacer::next(Deadline now) {
  if (due_ + interval_ < now) {
    due_ = now;
  }
  const Deadline due = due_;
  due_ += interval_;
  return due;
}

bool Pacer::wait(const std::stop_token& stop) {
  if (interval_ == interval_.zero()) {
    return !stop.stop_requested();
  }
  return sleep_until(next(std::chrono::steady_clock::now()), stop);
}

}  // namespace sistem
