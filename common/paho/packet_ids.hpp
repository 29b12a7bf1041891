#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace sistem {

/// A set of packet ids. One thread at a time changes it; has() and empty() may be asked by any, without a lock.
class PacketIds {
 public:
  [[nodiscard]] bool has(std::uint16_t id) const { return (word(id).load() & bit(id)) != 0; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  /// False if it was there already.
  bool add(std::uint16_t id) {
    const bool is_new = (word(id).fetch_or(bit(id)) & bit(id)) == 0;
    count_ += is_new ? 1 : 0;
    return is_new;
  }
  void remove(std::uint16_t id) { count_ -= (word(id).fetch_and(~bit(id)) & bit(id)) != 0 ? 1 : 0; }

 private:
  using Word = std::atomic<std::uint64_t>;
  static std::uint64_t bit(std::uint16_t id) { return std::uint64_t{1} << (id % 64U); }
  [[nodiscard]] const Word& word(std::uint16_t id) const { return words_[id / 64U]; }
  [[nodiscard]] Word& word(std::uint16_t id) { return words_[id / 64U]; }

  std::array<Word, 1024> words_{};
  std::atomic<std::size_t> count_ = 0;
};

}  // namespace sistem
