#pragma once

#include <atomic>
#include <cstdint>

#include "common/process/descriptor.hpp"

namespace sistem {

/// A number in memory that several processes share: what all clients of a run have sent.
class SharedCount {
 public:
  using Number = std::atomic<std::uint64_t>;
  static_assert(Number::is_always_lock_free);  // another process would not see the lock

  /// Makes one, at 0. Throws Error where the system does not give it.
  SharedCount();
  /// Takes part in the one that the descriptor, which it takes over, belongs to.
  explicit SharedCount(int descriptor);
  SharedCount(const SharedCount&) = delete;
  SharedCount& operator=(const SharedCount&) = delete;
  ~SharedCount();

  /// For another process: closed by exec.
  [[nodiscard]] int descriptor() const { return memory_.get(); }
  [[nodiscard]] Number& number() const { return *number_; }

 private:
  void map();

  Descriptor memory_;
  Number* number_ = nullptr;
};

}  // namespace sistem
