#include "pub/source.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "common/connection.hpp"
#include "common/descriptor.hpp"
#include "common/error.hpp"
#include "common/stop.hpp"

namespace sistem {
namespace {

constexpr std::size_t read_at_once = std::size_t{64} * 1024;

/// The largest remaining length, four bytes of seven bits [MQTT-2.2.3].
constexpr std::size_t largest_packet = 268'435'455;

UsageError too_large(const std::string& name, std::size_t limit) {
  return UsageError(fmt::format("{} is larger than one MQTT message can be: at most {} bytes here", name, limit));
}

/// A descriptor that is read block by block.
class Input {
 public:
  Input(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}

  [[nodiscard]] const std::string& name() const { return name_; }

  /// Waits for what comes next, which the following call overwrites; empty at the end. Nothing where a stop was
  /// requested.
  std::optional<std::string_view> next(const std::stop_token& stop) {
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

 private:
  int fd_;
  std::string name_;
  std::array<char, read_at_once> block_{};
};

/// Reads a descriptor and cuts it into lines.
class LineReader {
 public:
  LineReader(int fd, std::string name, Message pattern)
      : input_(fd, std::move(name)), pattern_(std::move(pattern)), limit_(payload_limit(pattern_)) {}

  /// The lines that one read completes, at least one; none at the end.
  std::vector<Message> turn(const std::stop_token& stop) {
    std::vector<Message> messages;
    while (messages.empty() && !ended_) {
      const auto block = input_.next(stop);
      if (!block) {
        return {};
      }
      take(*block, messages);
    }
    return messages;
  }

 private:
  void take(std::string_view block, std::vector<Message>& messages) {
    if (block.empty()) {
      ended_ = true;
      if (!line_.empty()) {
        finish_line(messages);
      }
      return;
    }
    for (std::size_t newline = block.find('\n'); newline != std::string_view::npos; newline = block.find('\n')) {
      append(block.substr(0, newline));
      finish_line(messages);
      block.remove_prefix(newline + 1);
    }
    append(block);
  }

  void append(std::string_view part) {
    if (line_.size() + part.size() > limit_) {
      throw too_large(fmt::format("{}:{}: the line", input_.name(), number_), limit_);
    }
    line_ += part;
  }

  void finish_line(std::vector<Message>& messages) {
    messages.push_back(pattern_);
    messages.back().payload = std::exchange(line_, {});
    ++number_;
  }

  Input input_;
  Message pattern_;
  std::size_t limit_;
  std::string line_;  ///< what has come of the line that has not ended yet
  std::size_t number_ = 1;
  bool ended_ = false;
};

std::string read_file(const std::string& path, std::size_t limit, const std::stop_token& stop) {
  // Opening a FIFO must not wait for its writer where a stop cannot end the wait; poll(2) does that for us.
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  if (file.get() < 0) {
    throw Error(fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  }
  return read_whole(file.get(), path, limit, stop);
}

/// The whole of stdin. Nothing at all is not taken for an empty message, which would delete a retained one: it is what
/// comes of a command that failed at the pipe's other end.
std::string read_stdin(std::size_t limit, const std::stop_token& stop) {
  std::string bytes = read_whole(STDIN_FILENO, "stdin", limit, stop);
  if (bytes.empty()) {
    throw Error("stdin was empty, so nothing was published; --null-message publishes an empty message");
  }
  return bytes;
}

}  // namespace

std::size_t payload_limit(const Message& pattern) {
  constexpr std::size_t length_and_packet_id = 2 + 2;  // the topic's length, and the packet id of QoS 1 and 2
  constexpr std::size_t length_of_properties = 4;
  constexpr std::size_t of_a_property = 5;  // its identifier, and a number or the lengths of its name and value
  std::size_t taken = length_and_packet_id + pattern.topic.size() + length_of_properties;
  for (const Property& property : pattern.properties) {
    taken += of_a_property + property.name.size() + property.text.size();
  }
  return largest_packet - std::min(taken, largest_packet);
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

Source one_message(Message message) {
  return [message = std::vector{std::move(message)}](const Moment&, const std::stop_token&) mutable {
    return Turn{std::exchange(message, {})};
  };
}

Source lines_of(int fd, std::string name, Message pattern) {
  auto reader = std::make_shared<LineReader>(fd, std::move(name), std::move(pattern));
  return [reader](const Moment&, const std::stop_token& stop) { return Turn{reader->turn(stop)}; };
}

Source readings_of(Readings readings, Message pattern) {
  return [readings = std::move(readings), pattern = std::move(pattern)](const Moment&, const std::stop_token&) mutable {
    std::vector<Message> messages;
    for (Reading& reading : readings.measure(Readings::Clock::now())) {
      messages.push_back(pattern);
      messages.back().topic = "sistem/" + reading.name;
      messages.back().payload = std::move(reading.text);
    }
    return Turn{std::move(messages)};
  };
}

Source source_of(const PubConfig& config, const std::stop_token& stop) {
  Message pattern{config.topic.value_or(""), "", config.qos, config.retain};
  if (config.connection.version == ProtocolVersion::v5) {
    pattern.properties = properties_for(PropertyPlace::publish, config.connection.properties);
  }
  if (config.publishes_readings()) {
    return readings_of(Readings{}, std::move(pattern));
  }
  if (config.lines) {
    return lines_of(STDIN_FILENO, "stdin", std::move(pattern));
  }
  const std::size_t limit = payload_limit(pattern);
  if (config.file) {
    pattern.payload = read_file(*config.file, limit, stop);
  } else if (config.stdin_file) {
    pattern.payload = read_stdin(limit, stop);
  } else {
    pattern.payload = config.message.value_or("");
  }
  return one_message(std::move(pattern));
}

}  // namespace sistem
