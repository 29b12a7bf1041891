#include "pub/shared_count.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/process/error.hpp"

namespace sistem {

SharedCount::SharedCount() : memory_(::memfd_create("sent", MFD_CLOEXEC)) {
  if (memory_.get() >= 0 && ::ftruncate(memory_.get(), sizeof(Number)) != 0) {
    memory_ = Descriptor{-1};
  }
  map();
}

SharedCount::SharedCount(int descriptor) : memory_(descriptor) { map(); }

SharedCount::~SharedCount() { ::munmap(number_, sizeof(Number)); }

void SharedCount::map() {
  void* const address = ::mmap(nullptr, sizeof(Number), PROT_READ | PROT_WRITE, MAP_SHARED, memory_.get(), 0);
  if (address == MAP_FAILED) {
    throw Error(fmt::format("cannot count what all clients send: {}", std::strerror(errno)));
  }
  number_ = static_cast<Number*>(address);  // the system's memory is all zero, which is that number's 0
}

}  // namespace sistem
