#include "common/process/mutex.hpp"

#if !defined(NDEBUG)

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace sistem {
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

}  // namespace sistem

#endif
