#pragma once

#include <cstddef>

namespace sistem::block_pool {

/// Memory in small blocks for two threads of which one takes and the other gives back, as with the messages that go
/// through Paho. There the heap of the C library is at its slowest, because what it has at hand belongs to a thread:
/// malloc and free were 29 % of a flood. One pool for the whole process, which keeps what it has had at once at the
/// most. Any thread may call.

/// A block of at least so many bytes, aligned for anything. nullptr where it would be more than 1 KiB, or the pool has
/// given out all that it has: 4 MiB, which are the system's until they are needed.
[[nodiscard]] void* take(std::size_t size);

// What the following two are given and what is memory of this pool, but no block that somebody has taken, is a fault by
// which anything could be overwritten later: they end the process with a word on stderr.

/// How large a block of this pool is; 0 where that memory is none.
[[nodiscard]] std::size_t size_of(const void* memory);

/// Gives back a block of this pool. False where that memory is none.
bool give_back(void* memory);

}  // namespace sistem::block_pool
