#include "common/process/descriptor.hpp"

#include <array>
#include <cerrno>

namespace sistem {

std::optional<std::string> read_to_end(int fd, std::size_t most) {
  std::string bytes;
  std::array<char, 4096> block{};
  while (bytes.size() <= most) {
    const ssize_t count = ::read(fd, block.data(), block.size());
    if (count == 0) {
      break;
    }
    if (count > 0) {
      bytes.append(block.data(), static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      return std::nullopt;
    }
  }
  return bytes;
}

std::size_t write_whole(int fd, std::string_view bytes) {
  std::size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t count = ::write(fd, bytes.data() + written, bytes.size() - written);
    if (count >= 0) {
      written += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      break;
    }
  }
  return written;
}

}  // namespace sistem
