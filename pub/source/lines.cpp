#include "pub/source/lines.hpp"

#include <fmt/format.h>

#include <deque>
#include <memory>
#include <string_view>
#include <utility>

#include "common/mqtt/topic.hpp"
#include "common/process/error.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

/// The lines of an input on their way to be turns.
class MessageLines {
 public:
  MessageLines(LineReader lines, ReadLine read, OnBadLine on_bad_line, const Console& console,
               std::function<void()> on_again)
      : lines_(std::move(lines)),
        read_(std::move(read)),
        on_bad_line_(on_bad_line),
        console_(console),
        on_again_(std::move(on_again)) {}

  /// What is here and due at the same time, at least one message; none at the end.
  Turn turn(const Moment& moment, const std::stop_token& stop) {
    // A delay counts from when the message before was due, not from when it went out: so nothing adds up.
    const std::chrono::nanoseconds before = std::exchange(due_before_, std::nullopt).value_or(moment.elapsed);
    Turn turn;
    while (turn.messages.empty() && fill(stop)) {
      turn.messages.reserve(read_lines_.size());
      for (; !read_lines_.empty(); read_lines_.pop_front()) {
        ReadOne& line = read_lines_.front();
        const bool has_delay = line.message && line.message->delay;
        if (!line.message && on_bad_line_ == OnBadLine::skip) {
          console_.note(line.fault);
          ++skipped_;
          continue;
        }
        if ((!line.message || has_delay) && !turn.messages.empty()) {
          return turn;  // what was good before it goes first
        }
        if (!line.message) {
          throw UsageError(line.fault);
        }
        turn.messages.push_back(std::move(line.message->message));
        if (has_delay) {
          turn.due = due_before_ = before + *line.message->delay;
          read_lines_.pop_front();
          return turn;
        }
      }
    }
    if (turn.messages.empty() && skipped_ > 0) {
      console_.note(fmt::format("{}: {} skipped", lines_.name(), counted(skipped_, "line was", "lines were")));
      skipped_ = 0;
    }
    return turn;
  }

 private:
  /// A line that was read: what it says, or what is wrong with it.
  struct ReadOne {
    std::optional<LineMessage> message;
    std::string fault;
  };

  /// Waits for lines that say something, where there are none yet; false where none come any more.
  bool fill(const std::stop_token& stop) {
    while (read_lines_.empty()) {
      std::vector<Line> lines = lines_.next(stop);
      if (lines.empty() && !begin_again(stop)) {
        return false;
      }
      for (Line& line : lines) {
        read(line);
      }
    }
    return true;
  }

  bool begin_again(const std::stop_token& stop) {
    if (!on_again_ || !std::exchange(brought_messages_, false) || stop.stop_requested() || !lines_.rewind()) {
      return false;
    }
    on_again_();
    return true;
  }

  void read(Line& line) {
    try {
      if (line.is_too_long) {
        throw Expected(
            fmt::format("the line is larger than one MQTT message can be: at most {} bytes here", lines_.limit()));
      }
      if (auto message = read_(std::move(line.bytes))) {
        read_lines_.push_back({std::move(message), {}});
        brought_messages_ = true;
      }
    } catch (const Expected& expected) {
      read_lines_.push_back({{}, fmt::format("{}:{}: {}", lines_.name(), line.number, expected.what())});
    }
  }

  LineReader lines_;
  ReadLine read_;
  OnBadLine on_bad_line_;
  const Console& console_;
  std::function<void()> on_again_;
  bool brought_messages_ = false;  ///< since the input began
  std::deque<ReadOne> read_lines_;
  std::optional<std::chrono::nanoseconds> due_before_;
  std::size_t skipped_ = 0;
};

}  // namespace

Source messages_of(LineReader lines, ReadLine read, OnBadLine on_bad_line, const Console& console,
                   std::function<void()> on_again) {
  auto messages =
      std::make_shared<MessageLines>(std::move(lines), std::move(read), on_bad_line, console, std::move(on_again));
  return [messages](const Moment& moment, const std::stop_token& stop) { return messages->turn(moment, stop); };
}

ReadLine payload_lines(Message pattern) {
  return [pattern = std::move(pattern)](std::string line) {
    LineMessage read{pattern};
    read.message.payload = std::move(line);
    return std::optional(std::move(read));
  };
}

ReadLine topic_lines(Message pattern) {
  return [pattern = std::move(pattern), is_first = true](std::string line) mutable {
    // Editors on Windows begin a file with a byte order mark.
    if (std::exchange(is_first, false) && line.compare(0, 3, "\xEF\xBB\xBF") == 0) {
      line.erase(0, 3);
    }
    const std::size_t blank = line.find(' ');
    LineMessage read{pattern};
    read.message.topic = line.substr(0, blank);
    check_topic(read.message.topic);
    read.message.payload = blank == std::string::npos ? "" : line.substr(blank + 1);
    check_size(read.message);
    return std::optional(std::move(read));
  };
}

void check_size(const Message& message, std::size_t packet) {
  if (const std::size_t limit = payload_limit(message, packet); message.payload.size() > limit) {
    throw Expected(fmt::format("payload: expected at most {} bytes, got {}", limit, message.payload.size()));
  }
}

void check_topic(const std::string& topic) {
  if (const auto fault = fault_of_topic_name(topic)) {
    throw Expected(fmt::format("topic: expected {}, got \"{}\"", *fault, shortened(topic)));
  }
}

}  // namespace sistem
