#pragma once

#include <unistd.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sistem {

/// Owns a file descriptor: closes it at the end.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }

  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

/// Reads until the end, or until there are more than `most` bytes. Nothing where that fails; errno says why.
[[nodiscard]] std::optional<std::string> read_to_end(int fd, std::size_t most = std::string::npos);

/// Writes all of it, in as many parts as it takes. How many bytes were written: where not all, errno says why.
[[nodiscard]] std::size_t write_whole(int fd, std::string_view bytes);

}  // namespace sistem
