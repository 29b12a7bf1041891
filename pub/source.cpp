#include "pub/source.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "common/error.hpp"
#include "common/stop.hpp"

namespace sistem {
namespace {

constexpr std::size_t read_at_once = std::size_t{64} * 1024;

/// What fits into the largest packet beside the largest topic: its remaining length has four bytes of seven bits, and
/// the topic and the packet id have two bytes each before them [MQTT-2.2.3].
constexpr std::size_t longest_payload = 268'435'455 - 65'535 - 4;

/// Reads a descriptor and cuts it into lines.
class LineReader {
 public:
  LineReader(int fd, std::string name, Message pattern)
      : fd_(fd), name_(std::move(name)), pattern_(std::move(pattern)) {}

  /// The lines that one read completes, at least one; none at the end.
  std::vector<Message> turn(const std::stop_token& stop) {
    std::vector<Message> messages;
    while (messages.empty() && !ended_) {
      if (wait_for(fd_, POLLIN, never, stop) == Woken::stopped) {
        return {};
      }
      read_block(messages);
    }
    return messages;
  }

 private:
  void read_block(std::vector<Message>& messages) {
    std::array<char, read_at_once> block{};
    const ssize_t count = ::read(fd_, block.data(), block.size());
    if (count < 0) {
      if (errno == EINTR || errno == EAGAIN) {
        return;
      }
      throw Error(fmt::format("cannot read {}: {}", name_, std::strerror(errno)));
    }
    if (count == 0) {
      ended_ = true;
      if (!line_.empty()) {
        finish_line(messages);
      }
      return;
    }
    std::string_view rest{block.data(), static_cast<std::size_t>(count)};
    for (std::size_t newline = rest.find('\n'); newline != std::string_view::npos; newline = rest.find('\n')) {
      append(rest.substr(0, newline));
      finish_line(messages);
      rest.remove_prefix(newline + 1);
    }
    append(rest);
  }

  void append(std::string_view part) {
    if (line_.size() + part.size() > longest_payload) {
      throw UsageError(fmt::format("{}:{}: the line is longer than the largest MQTT packet (256 MiB)", name_, number_));
    }
    line_ += part;
  }

  void finish_line(std::vector<Message>& messages) {
    messages.push_back(pattern_);
    messages.back().payload = std::exchange(line_, {});
    ++number_;
  }

  int fd_;
  std::string name_;
  Message pattern_;
  std::string line_;  ///< what has come of the line that has not ended yet
  std::size_t number_ = 1;
  bool ended_ = false;
};

}  // namespace

Source one_message(Message message) {
  return [message = std::vector{std::move(message)}](const std::stop_token&) mutable {
    return std::exchange(message, {});
  };
}

Source lines_of(int fd, std::string name, Message pattern) {
  auto reader = std::make_shared<LineReader>(fd, std::move(name), std::move(pattern));
  return [reader](const std::stop_token& stop) { return reader->turn(stop); };
}

Source readings_of(Readings readings, Message pattern) {
  return [readings = std::move(readings), pattern = std::move(pattern)](const std::stop_token&) mutable {
    std::vector<Message> messages;
    for (Reading& reading : readings.measure(Readings::Clock::now())) {
      messages.push_back(pattern);
      messages.back().topic = "sistem/" + reading.name;
      messages.back().payload = std::move(reading.text);
    }
    return messages;
  };
}

Source source_of(const PubConfig& config) {
  const Message pattern{config.topic.value_or(""), config.message.value_or(""), config.qos, config.retain};
  if (config.publishes_readings()) {
    return readings_of(Readings{}, pattern);
  }
  return config.lines ? lines_of(STDIN_FILENO, "stdin", pattern) : one_message(pattern);
}

}  // namespace sistem
