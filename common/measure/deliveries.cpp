#include "common/measure/deliveries.hpp"

namespace sistem {

void Deliveries::take(std::size_t bytes) {
  const std::scoped_lock lock(mutex_);
  ++sums_.taken;
  sums_.bytes += bytes;
}

void Deliveries::acknowledge(std::chrono::nanoseconds after) {
  const std::scoped_lock lock(mutex_);
  ++sums_.acknowledged;
  sums_.times.record(after);
}

void Deliveries::refuse(const std::string& reason, const std::string& sentence) {
  const std::scoped_lock lock(mutex_);
  if (sums_.refused.empty()) {
    sums_.first_refusal = sentence;
  }
  ++sums_.refused[reason];
}

void Deliveries::send_again() {
  const std::scoped_lock lock(mutex_);
  ++sums_.sent_again;
}

void Deliveries::wait(std::chrono::nanoseconds time) {
  const std::scoped_lock lock(mutex_);
  sums_.waited += time;
}

Deliveries::Sums Deliveries::sums() const {
  const std::scoped_lock lock(mutex_);
  return sums_;
}

std::chrono::nanoseconds Deliveries::waited() const {
  const std::scoped_lock lock(mutex_);
  return sums_.waited;
}

}  // namespace sistem
