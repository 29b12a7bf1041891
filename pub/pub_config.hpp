#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/connection.hpp"
#include "common/output.hpp"
#include "common/report_format.hpp"
#include "common/settings.hpp"
#include "pub/pace.hpp"
#include "pub/topic_map.hpp"

namespace sistem {

/// What is done about a line of input that is no message: the run ends with status 2, or goes on without it.
enum class OnBadLine : std::uint8_t { stop, skip };

/// How a reading is published: "12.5 %", or {"value":12.5,"unit":"%","time":"..."}.
enum class ReadingFormat : std::uint8_t { text, json };

/// What pub was asked to do.
struct PubConfig {
  ConnectionConfig connection;
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
  bool status = false;  ///< keep PREFIX/status at the broker: online, or offline

  // Of a recording:
  std::vector<TopicMapping> topic_map;
  bool loop = false;       ///< from the beginning again, without end
  bool qos_given = false;  ///< the options' QoS, not that of the recording
  bool retain_given = false;

  int qos = 0;
  bool retain = false;
  std::optional<std::uint64_t> repeat;            ///< publish the one message so often; nothing: see count()
  std::chrono::duration<double> repeat_delay{0};  ///< between two of those
  Pace pace;

  bool stamp = false;                      ///< number each message, with the time when it is sent
  std::optional<std::string> clock_topic;  ///< where to ask how the verifier's clock stands
  bool verbose = false;                    ///< print what is published
  std::optional<ReportFormat> report;      ///< print at the end how it went

  unsigned clients = 1;                ///< so many connections, each by a process of its own
  std::optional<double> connect_rate;  ///< so many of them are started a second
  int report_to = -1;                  ///< the descriptor by which such a process reports; -1: it does not
  int count_in = -1;                   ///< that of the memory in which it counts what it sends

  bool request = false;                       ///< each message asks for an answer, which is printed
  std::optional<std::string> response_topic;  ///< where answers are expected; nothing: see request_all()
  bool no_newline = false;                    ///< after an answer
  std::chrono::duration<double> timeout{10};  ///< how long an answer, or a ping, may take

  [[nodiscard]] bool publishes_readings() const { return readings || (!topic && !is_stream()); }

  /// Whether each call of the source brings a new message, without end: the publisher says how many it takes.
  [[nodiscard]] bool generates() const { return payload_template.has_value(); }

  /// Whether the source has an end of its own, as stdin and a recording have.
  [[nodiscard]] bool is_stream() const { return lines || topic_lines || json_lines || replay; }

  /// How many turns are taken of a source that is no stream; nothing: until a stop, or the end of --duration.
  [[nodiscard]] std::optional<std::uint64_t> count() const {
    const bool goes_on = publishes_readings() || pace.is_given() || pace.duration;
    return repeat || goes_on ? repeat : std::optional<std::uint64_t>(1);
  }
};

/// Gives what can be known only now its value, once: renders the prefix, and makes the will of --status. Throws
/// UsageError where no topic comes of it.
void settle(PubConfig& config);

/// pub's table of options, bound to `config`.
[[nodiscard]] std::vector<Option> pub_rows(PubConfig& config);

/// Reads and checks every home of every option. Nothing where something was to be shown, as by --help, and is written
/// to `output`. Throws UsageError.
[[nodiscard]] std::optional<PubConfig> read_pub_config(const Sources& sources, Output& output, const Console& console);

}  // namespace sistem
