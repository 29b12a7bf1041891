#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace sistem {

/// Whole packets for the MQTT library, which takes them in pieces: those that are ready, and those that its thread has
/// taken over and reads without a lock. Calls without a word on it are under one lock.
class ReadyPackets {
 public:
  /// Adds a packet. Its first byte, which may be changed.
  char& append(std::string_view packet) {
    ready_ += packet;
    return ready_[ready_.size() - packet.size()];
  }
  /// The same, of one that may be moved from.
  char& append(std::string&& packet) {
    if (!ready_.empty()) {
      return append(std::string_view{packet});
    }
    ready_ = std::move(packet);
    return ready_.front();
  }

  /// The thread that takes has nothing left, and takes over those that are ready. False if there are none.
  bool take_over() {
    if (ready_.empty()) {
      return false;
    }
    taken_.swap(ready_);
    ready_.clear();
    if (ready_.capacity() > much) {  // a large message has passed
      ready_ = std::string{};
    }
    left_ = taken_.size();
    return true;
  }
  /// The next so many bytes of what was taken over; nullptr if there are fewer. Good until take_over(). By the thread
  /// that takes, without the lock.
  [[nodiscard]] char* take(std::size_t size) {
    if (size > left_) {
      return nullptr;
    }
    char* const bytes = taken_.data() + taken_.size() - left_;
    left_ -= size;
    return bytes;
  }

  /// How many bytes were not taken.
  [[nodiscard]] std::size_t size() const { return left_ + ready_.size(); }
  [[nodiscard]] bool has_ready() const { return !ready_.empty(); }
  /// Whether take() has something to give. Any thread may ask, without the lock.
  [[nodiscard]] bool is_being_taken() const { return left_ > 0; }

 private:
  static constexpr std::size_t much = 256 << 10;

  std::string ready_;
  std::string taken_;                 ///< touched by the thread that takes alone
  std::atomic<std::size_t> left_{0};  ///< of its end
};

}  // namespace sistem
