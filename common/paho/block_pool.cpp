#include "common/paho/block_pool.hpp"

#include <sys/auxv.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <mutex>
#include <new>
#include <optional>
#include <string_view>
#include <utility>

namespace sistem::block_pool {
namespace {

/// The sizes are powers of two: 32 bytes to 1 KiB.
constexpr int smallest = 5;
constexpr std::size_t kinds = 6;

/// The memory is cut into slabs, each of which has blocks of one size. They are as large as a page: a larger one would
/// cost each start the touching of pages that it does not need.
constexpr std::size_t slab_size = 4 << 10;
constexpr std::size_t slabs = 1024;

/// A thread lays so many blocks onto the list of all together.
constexpr std::size_t returned_together = 32;

/// A block that nobody has. One that is in use never has its mark by accident, because the secret is unknown to whoever
/// chooses what is written there.
struct Free {
  Free* next;
  std::uintptr_t mark;  ///< mark_of() its address
};

/// Another number for each run. No function's static variable: that would be asked for at each block whether it is
/// made.
// NOLINTNEXTLINE(cert-err58-cpp): nothing in it throws
const std::uintptr_t secret = [] {
  std::uintptr_t random = 0;  // the kernel has laid 16 random bytes there
  // NOLINTNEXTLINE(performance-no-int-to-ptr): that is how the kernel gives an address
  std::memcpy(&random, reinterpret_cast<const void*>(::getauxval(AT_RANDOM)), sizeof random);
  return random;
}();

std::uintptr_t mark_of(const void* block) { return secret ^ reinterpret_cast<std::uintptr_t>(block); }

[[noreturn]] void end_process(std::string_view why) {
  (void)!::write(STDERR_FILENO, why.data(), why.size());
  std::abort();
}

alignas(slab_size) std::array<std::byte, slab_size * slabs> memory;  // NOLINT: all zeros, so that it costs nothing

// NOLINTBEGIN(cppcoreguidelines-avoid-non-const-global-variables)
std::array<std::uint8_t, slabs> kind_of_slab;  ///< and one more: 0 is a slab that is not used yet
std::size_t slabs_used = 0;
std::mutex slabs_mutex;  ///< of these two

/// What threads have given back, as lists that they lay blocks onto and take off all at once: so no block can be there,
/// gone and there again while somebody looks.
std::array<std::atomic<Free*>, kinds> given_back;

/// Lays a list of blocks onto that of all threads.
void lay_down(std::size_t kind, Free* first, Free* last) {
  auto& list = given_back[kind];
  last->next = list.load(std::memory_order_relaxed);
  while (!list.compare_exchange_weak(last->next, first, std::memory_order_release, std::memory_order_relaxed)) {
  }
}

/// What one thread has of a kind.
struct AtHand {
  Free* next = nullptr;      ///< to be taken
  Free* returned = nullptr;  ///< given back, and not laid down yet
  Free* last_returned = nullptr;
  std::size_t returned_count = 0;
};

/// What it has of all; others get it when the thread ends.
struct AllAtHand {
  std::array<AtHand, kinds> of_kind;

  AllAtHand() = default;
  AllAtHand(const AllAtHand&) = delete;
  AllAtHand& operator=(const AllAtHand&) = delete;
  ~AllAtHand() {
    for (std::size_t kind = 0; kind < kinds; ++kind) {
      for (Free* list : {of_kind[kind].next, of_kind[kind].returned}) {
        while (list != nullptr) {
          Free* const one = std::exchange(list, list->next);
          lay_down(kind, one, one);
        }
      }
    }
  }
};
constinit thread_local AllAtHand at_hand;
// NOLINTEND(cppcoreguidelines-avoid-non-const-global-variables)

std::size_t kind_for(std::size_t size) {
  const auto bits = static_cast<std::size_t>(std::bit_width(std::max<std::size_t>(size, 1) - 1));
  return bits > smallest ? bits - smallest : 0;
}

std::size_t size_of_kind(std::size_t kind) { return std::size_t{1} << (smallest + kind); }

/// Of which kind a block is; nothing where that memory is no block.
std::optional<std::size_t> kind_of(const void* block) {
  // Not of one array, so that only std::less may compare them.
  const auto* const byte = static_cast<const std::byte*>(block);
  const std::less<> less;
  if (less(byte, memory.data()) || !less(byte, memory.data() + memory.size())) {
    return std::nullopt;
  }
  const auto at = static_cast<std::size_t>(byte - memory.data());
  const std::size_t kind = kind_of_slab[at / slab_size];
  if (kind == 0 || (at & (size_of_kind(kind - 1) - 1)) != 0) {  // a power of two: dividing would cost a flood a tenth
    end_process("memory was given back that is not the beginning of a block: ending before it does harm\n");
  }
  if (static_cast<const Free*>(block)->mark == mark_of(block)) {
    end_process("memory was given back twice: ending before it does harm\n");
  }
  return kind - 1;
}

/// All blocks of a slab that nobody has used, as a list; nullptr where none is left.
Free* new_slab(std::size_t kind) {
  const std::scoped_lock lock(slabs_mutex);
  if (slabs_used == slabs) {
    return nullptr;
  }
  kind_of_slab[slabs_used] = static_cast<std::uint8_t>(kind + 1);
  std::byte* const slab = memory.data() + slab_size * slabs_used++;
  Free* list = nullptr;
  for (std::size_t end = slab_size; end > 0; end -= size_of_kind(kind)) {
    std::byte* const block = slab + end - size_of_kind(kind);
    list = ::new (block) Free{list, mark_of(block)};
  }
  return list;
}

}  // namespace

void* take(std::size_t size) {
  const std::size_t kind = kind_for(size);
  if (kind >= kinds) {
    return nullptr;
  }
  AtHand& mine = at_hand.of_kind[kind];
  if (mine.next == nullptr) {
    mine.next = std::exchange(mine.returned, nullptr);
    mine.returned_count = 0;
  }
  if (mine.next == nullptr) {
    mine.next = given_back[kind].exchange(nullptr, std::memory_order_acquire);
  }
  if (mine.next == nullptr) {
    mine.next = new_slab(kind);
  }
  if (mine.next == nullptr) {
    return nullptr;
  }
  Free* const block = std::exchange(mine.next, mine.next->next);
  block->mark = 0;
  return block;
}

std::size_t size_of(const void* block) {
  const auto kind = kind_of(block);
  return kind ? size_of_kind(*kind) : 0;
}

bool give_back(void* block) {
  const auto kind = kind_of(block);
  if (!kind) {
    return false;
  }
  AtHand& mine = at_hand.of_kind[*kind];
  mine.returned = ::new (block) Free{mine.returned, mark_of(block)};
  if (mine.returned_count++ == 0) {
    mine.last_returned = mine.returned;
  }
  if (mine.returned_count == returned_together) {
    lay_down(*kind, mine.returned, mine.last_returned);
    mine.returned = nullptr;
    mine.returned_count = 0;
  }
  return true;
}

}  // namespace sistem::block_pool
