#include "pub/source/input.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/process/error.hpp"
#include "common/process/stop.hpp"

namespace sistem {
namespace {

UsageError too_large(const std::string& name, std::size_t limit) {
  return UsageError(fmt::format("{} is larger than one MQTT message can be: at most {} bytes here", name, limit));
}

}  // namespace

std::optional<std::string_view> Input::next(const std::stop_token& stop) {
  while (wait_for(fd_, POLLIN, never, stop) != Woken::stopped) {
    const ssize_t count = ::read(fd_, block_.data(), block_.size());
    if (count >= 0) {
      return std::string_view{block_.data(), static_cast<std::size_t>(count)};
    }
    if (errno != EINTR && errno != EAGAIN) {
      throw Error(fmt::format("cannot read {}: {}", name_, std::strerror(errno)));
    }
  }
  return std::nullopt;
}

std::vector<Line> LineReader::next(const std::stop_token& stop) {
  std::vector<Line> lines;
  while (lines.empty() && !ended_) {
    const auto block = input_.next(stop);
    if (!block) {
      return {};
    }
    pending_ += *block;
    cut(lines);
    ended_ = block->empty();
    if (ended_ && (!pending_.empty() || is_too_long_)) {
      finish(std::exchange(pending_, {}), lines);
    }
  }
  return lines;
}

void LineReader::cut(std::vector<Line>& lines) {
  std::size_t start = 0;
  for (std::size_t end = 0; (end = pending_.find(delimiter_, searched_)) != std::string::npos; searched_ = start) {
    finish(pending_.substr(start, end - start), lines);
    start = end + delimiter_.size();
  }
  pending_.erase(0, start);
  const std::size_t may_be_begun = std::min(pending_.size(), delimiter_.size() - 1);
  if (pending_.size() - may_be_begun > limit_) {
    is_too_long_ = true;
    pending_.erase(0, pending_.size() - may_be_begun);
  }
  searched_ = pending_.size() - may_be_begun;
}

void LineReader::finish(std::string bytes, std::vector<Line>& lines) {
  const bool is_too_long = std::exchange(is_too_long_, false) || bytes.size() > limit_;
  lines.push_back({is_too_long ? std::string{} : std::move(bytes), ++number_, is_too_long});
}

bool LineReader::rewind() {
  if (::lseek(input_.descriptor(), 0, SEEK_SET) != 0) {
    return false;
  }
  pending_.clear();
  searched_ = 0;
  is_too_long_ = false;
  number_ = 0;
  ended_ = false;
  return true;
}

int open_input(const std::string& path) {
  // Opening a FIFO must not wait for its writer where a stop cannot end the wait; poll(2) does that for us.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) {
    throw Error(fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  }
  return fd;
}

std::string read_whole(int fd, const std::string& name, std::size_t limit, const std::stop_token& stop) {
  std::string bytes;
  // What a file says of its size saves time and memory, but it may be wrong or change: the end of reading decides.
  if (struct stat status{}; ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size > limit) {
      throw too_large(name, limit);
    }
    bytes.reserve(size);
  }
  Input input{fd, name};
  while (true) {
    const auto block = input.next(stop);
    if (!block) {
      throw Error(fmt::format("stopped before the end of {}, so nothing was published", name));
    }
    if (block->empty()) {
      return bytes;
    }
    if (bytes.size() + block->size() > limit) {
      throw too_large(name, limit);
    }
    bytes += *block;
  }
}

std::size_t payload_limit(const Message& pattern, std::size_t packet) {
  constexpr std::size_t length_and_packet_id = 2 + 2;  // the topic's length, and the packet id of QoS 1 and 2
  constexpr std::size_t length_of_properties = 4;
  constexpr std::size_t of_a_property = 5;  // its identifier, and a number or the lengths of its name and value
  std::size_t taken = length_and_packet_id + pattern.topic.size() + length_of_properties;
  for (const Property& property : pattern.properties) {
    taken += of_a_property + property.name.size() + property.text.size();
  }
  return packet - std::min(taken, packet);
}

}  // namespace sistem
