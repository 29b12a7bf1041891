#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "common/connection_config.hpp"
#include "common/mqtt/message.hpp"
#include "common/process/console.hpp"
#include "pub/pace/pace.hpp"

namespace sistem {

/// What is done about a line of input that is no message: the run ends with status 2, or goes on without it.
enum class OnBadLine : std::uint8_t { stop, skip };

/// How a reading is published: "12.5 %", or {"value":12.5,"unit":"%","time":"..."}.
enum class ReadingFormat : std::uint8_t { text, json };

/// Topics below one level, or that level itself, go to another one.
struct TopicMapping {
  std::string from;  ///< levels at the beginning of a topic; none: all topics
  std::string to;    ///< what takes their place; none: nothing does
};

/// What pub publishes: where its messages come from, and what they have in common.
struct SourceConfig {
  std::optional<std::string> topic;  ///< topic name, or a template of them; nothing: the source has its own
  // Where the messages come from: one of these at most; none: the host's readings.
  std::optional<std::string> message;                ///< -m
  bool null_message = false;                         ///< -n: an empty one
  std::vector<std::string> files;                    ///< -f: the content of each of these is a message
  bool stdin_file = false;                           ///< -s: all of stdin is one message
  bool lines = false;                                ///< -l: each line of stdin is a message
  bool topic_lines = false;                          ///< each line of stdin is a topic and a payload
  bool json_lines = false;                           ///< each line of stdin is a message as JSON
  std::optional<std::string> payload_template;       ///< each message is this, rendered
  std::optional<std::vector<std::string>> readings;  ///< of the host, by their names; empty: all
  std::optional<std::string> replay;                 ///< this recording

  // Of the lines of stdin:
  std::string delimiter = "\n";
  bool null_delimited = false;
  OnBadLine on_bad_line = OnBadLine::stop;

  // Of templates:
  std::optional<std::size_t> size;    ///< of each payload, in bytes; what is missing is filled up
  std::optional<std::uint64_t> seed;  ///< of all that is drawn at random; nothing: another one each time
  unsigned client_number = 0;         ///< which of --clients this is, from 1; 0: there is but one

  // Of readings:
  std::string prefix = "sistem";  ///< the levels before a reading's name, a template; settle() renders it
  ReadingFormat reading_format = ReadingFormat::text;

  // Of a recording:
  std::vector<TopicMapping> topic_map;
  bool loop = false;       ///< from the beginning again, without end
  bool qos_given = false;  ///< the options' QoS, not that of the recording
  bool retain_given = false;

  int qos = 0;
  bool retain = false;

  [[nodiscard]] bool publishes_readings() const { return readings || (!topic && !is_stream()); }

  /// Whether each call of the source brings a new message, without end: the publisher says how many it takes.
  [[nodiscard]] bool generates() const { return payload_template.has_value(); }

  /// Whether the source has an end of its own, as stdin and a recording have.
  [[nodiscard]] bool is_stream() const { return lines || topic_lines || json_lines || replay; }
};

/// The messages that are due together, in order.
struct Turn {
  std::vector<Message> messages;                  ///< none: the source has ended, or a stop was requested
  std::optional<std::chrono::nanoseconds> due{};  ///< since the first turn, where the source itself knows when
};

/// Where messages come from. Each call is one turn. Throws Error for input that cannot be read or is no message; all
/// turns before it are good.
using Source = std::function<Turn(const Moment&, const std::stop_token&)>;

/// The source that the options ask for. Reads --file and --stdin-file to their end: what can be wrong with them is told
/// before there is a connection, and nobody holds one while stdin is slow. Throws Error where one of them cannot be
/// read, stdin brings nothing or a stop was requested before the end, and UsageError for more than one message takes.
/// The source tells the console of lines that it skips. Of `connection` it takes the properties of PUBLISH, which
/// messages have in MQTT 5 only.
[[nodiscard]] Source source_of(const SourceConfig& config, const ConnectionConfig& connection, const Console& console,
                               const std::stop_token& stop);

/// These messages, in one turn.
[[nodiscard]] Source messages(std::vector<Message> all);

}  // namespace sistem
