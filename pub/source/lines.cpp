#include "pub/source/lines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <iterator>
#include <memory>
#include <utility>

#include "common/mqtt/record.hpp"
#include "common/mqtt/topic.hpp"
#include "common/process/error.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

using std::chrono::nanoseconds;

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
    const nanoseconds before = std::exchange(due_before_, std::nullopt).value_or(moment.elapsed);
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
  std::optional<nanoseconds> due_before_;
  std::size_t skipped_ = 0;
};

constexpr double longest_delay = 1e9;  // s, about 31 years

/// Throws Expected where no message can have this topic.
void check_topic(const std::string& topic) {
  if (const auto fault = fault_of_topic_name(topic)) {
    throw Expected(fmt::format("topic: expected {}, got \"{}\"", *fault, shortened(topic)));
  }
}

/// Adds the pattern's properties but for those of which the message has its own.
void add_properties(const std::vector<Property>& pattern, std::vector<Property>& properties) {
  std::vector<Property> all;
  std::ranges::copy_if(pattern, std::back_inserter(all), [&](const Property& property) {
    return property.identifier == property_id::user_property ||
           std::ranges::find(properties, property.identifier, &Property::identifier) == properties.end();
  });
  std::ranges::move(properties, std::back_inserter(all));
  properties = std::move(all);
}

/// How long after the one before each message of a recording came.
class Gaps {
 public:
  nanoseconds before(const Message& message) {
    nanoseconds passed{0};
    if (before_) {
      passed = between(before_->steady, message.arrival_steady)
                   .value_or(between(before_->wall, message.arrival).value_or(nanoseconds(0)));
      sum_ += passed;
      ++count_;
    } else if (begins_again_) {
      passed = count_ > 0 ? sum_ / count_ : std::chrono::seconds(1);
    }
    before_ = {message.arrival_steady, message.arrival};
    return passed;
  }

  void begin_again() {
    begins_again_ = true;
    before_.reset();
  }

 private:
  struct Arrival {
    std::chrono::steady_clock::time_point steady;
    std::chrono::system_clock::time_point wall;
  };

  template <typename Time>
  static std::optional<nanoseconds> between(Time earlier, Time later) {
    const bool is_known = earlier.time_since_epoch().count() != 0 && later >= earlier;
    return is_known ? std::optional<nanoseconds>(later - earlier) : std::nullopt;
  }

  std::optional<Arrival> before_;
  bool begins_again_ = false;
  nanoseconds sum_{0};
  std::int64_t count_ = 0;
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

ReadLine json_lines(Message pattern, bool has_properties) {
  const auto of_pattern = std::exchange(pattern.properties, {});
  return [pattern = std::move(pattern), of_pattern, has_properties](const std::string& line) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) {
      return std::optional<LineMessage>();
    }
    Record record = read_record(line, pattern);
    if (!record.message.properties.empty() && !has_properties) {
      throw Expected("properties: expected none, since only MQTT 5 has them: -V 5");
    }
    for (Property& property : record.message.properties) {
      if (property.identifier == property_id::message_expiry_interval) {
        property.number = std::min(property.number, longest_expiry);  // a broker may say more than the library can
      }
    }
    add_properties(of_pattern, record.message.properties);
    check_size(record.message);
    LineMessage read{std::move(record.message)};
    if (record.delay && record.delay->count() > longest_delay) {
      throw Expected("delay: expected 1000000000 seconds at most");
    }
    if (record.delay) {
      read.delay = std::chrono::round<nanoseconds>(*record.delay);
    }
    return std::optional(std::move(read));
  };
}

void check_size(const Message& message, std::size_t packet) {
  if (const std::size_t limit = payload_limit(message, packet); message.payload.size() > limit) {
    throw Expected(fmt::format("payload: expected at most {} bytes, got {}", limit, message.payload.size()));
  }
}

Source replay_of(LineReader lines, const SourceConfig& config, const Message& pattern, bool has_properties,
                 const Console& console) {
  if (config.loop && !lines.rewind()) {
    throw UsageError(fmt::format("--loop: {} cannot be read twice", lines.name()));
  }
  const auto gaps = std::make_shared<Gaps>();
  Message otherwise;
  otherwise.properties = pattern.properties;
  const auto read = [=, as_json = json_lines(otherwise, has_properties)](const std::string& line) {
    auto said = as_json(line);
    if (said) {
      Message& message = said->message;
      message.topic = mapped(message.topic, config.topic_map);
      check_topic(message.topic);
      message.qos = config.qos_given ? pattern.qos : message.qos;
      message.retain = config.retain_given ? pattern.retain : message.retain;
      const nanoseconds passed = gaps->before(message);
      said->delay = said->delay.value_or(passed);
    }
    return said;
  };
  return messages_of(std::move(lines), read, config.on_bad_line, console,
                     config.loop ? [gaps] { gaps->begin_again(); } : std::function<void()>{});
}

std::string mapped(const std::string& topic, const std::vector<TopicMapping>& mappings) {
  for (const auto& [from, to] : mappings) {
    const bool is_below = topic.starts_with(from) && topic.size() > from.size() && topic[from.size()] == '/';
    if (from.empty()) {
      return fmt::format("{}/{}", to, topic);
    }
    if (topic == from || is_below) {
      const std::string rest = topic.substr(from.size());
      return to.empty() && !rest.empty() ? rest.substr(1) : to + rest;
    }
  }
  return topic;
}

}  // namespace sistem
