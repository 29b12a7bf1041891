// Takes the place of three files of Paho C, Heap.c, StackTrace.c and Log.c: where all that a member of an archive
// defines is there already the linker never takes it. All or nothing: a function that a later Paho adds brings its own
// file back, and the linker complains of two definitions. To be dropped when distributions build Paho with
// PAHO_HIGH_PERFORMANCE.

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "common/paho/block_pool.hpp"
#include "common/process/error.hpp"
#include "common/tricks.hpp"

// Paho's names and types. A level of its log is an enumeration, which is passed as an int is.
// NOLINTBEGIN(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory,readability-identifier-naming)
extern "C" {

namespace block_pool = sistem::block_pool;

/// Paho goes on with a null pointer in some places, up to a crash.
static void* given(void* memory) {
  if (memory == nullptr) {
    sistem::memory_is_short();
  }
  return memory;
}

/// realloc(3), but that 0 bytes are no reason to give nothing.
static void* resized(void* memory, std::size_t size) { return given(std::realloc(memory, size > 0 ? size : 1)); }

// The heap: where an allocation was made is for its own list of them, which nobody reads. A sanitizer must see each
// block, so there the pool is left out.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

void* mymalloc(char* /*file*/, int /*line*/, std::size_t size) { return given(std::calloc(1, size)); }
void myfree(char* /*file*/, int /*line*/, void* memory) { std::free(memory); }
void* myrealloc(char* /*file*/, int /*line*/, void* memory, std::size_t size) { return resized(memory, size); }

#else

/// All zeros: Paho frees pointers that it has never set, of a SUBACK without codes for example (1.3.12, 1.3.14). Its
/// own heap ignores what it does not know; ours would free what the last user of the memory has left there.
void* mymalloc(char* /*file*/, int /*line*/, std::size_t size) {
  void* const block = sistem::tricks::block_pool ? block_pool::take(size) : nullptr;
  return block != nullptr ? std::memset(block, 0, size) : given(std::calloc(1, size));
}
void myfree(char* /*file*/, int /*line*/, void* memory) {
  if (!block_pool::give_back(memory)) {
    std::free(memory);
  }
}
void* myrealloc(char* file, int line, void* memory, std::size_t size) {
  const std::size_t had = block_pool::size_of(memory);
  if (had == 0) {
    return resized(memory, size);
  }
  void* const larger = size > had ? mymalloc(file, line, size) : memory;
  if (larger != nullptr && larger != memory) {
    std::memcpy(larger, memory, had);
    myfree(file, line, memory);
  }
  return larger;
}

#endif

int Heap_initialize() { return 0; }
void Heap_terminate() {}
void* Heap_get_info() {
  static std::size_t current_and_most[2] = {0, 0};
  return &current_and_most;
}
int HeapDump(FILE* /*to*/) { return 0; }
int HeapDumpString(FILE* /*to*/, char* /*string*/) { return 0; }
void* Heap_findItem(void* /*memory*/) { return nullptr; }
void Heap_unlink(char* /*file*/, int /*line*/, void* /*memory*/) {}

// The stack trace, which only its log shows.

int setStack(int /*current*/) { return 1; }
void StackTrace_entry(const char* /*name*/, int /*line*/, int /*level*/) {}
void StackTrace_exit(const char* /*name*/, int /*line*/, void* /*result*/, int /*level*/) {}
void StackTrace_printStack(FILE* /*to*/) {}
char* StackTrace_get(unsigned long /*thread*/, char* text, int size) {
  if (size > 0) {
    *text = '\0';
  }
  return text;
}

// The log, which prints each packet into a buffer, and throws that away: nobody asks for it, -d shows packets.

int Log_initialize(void* /*version*/) { return 0; }
void Log_terminate() {}
void Log_setTraceCallback(void* /*callback*/) {}
void Log_setTraceLevel(int /*level*/) {}
void Log(int /*level*/, int /*message*/, const char* /*format*/, ...) {}
void Log_stackTrace(int /*level*/, int /*message*/, unsigned long /*thread*/, int /*depth*/, const char* /*name*/,
                    int /*line*/, int* /*result*/) {}

}  // extern "C"
// NOLINTEND(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory,readability-identifier-naming)
