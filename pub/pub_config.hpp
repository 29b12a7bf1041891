#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/measure/report.hpp"
#include "common/options/connection_options.hpp"
#include "common/options/settings.hpp"
#include "common/process/output.hpp"
#include "common/session.hpp"
#include "pub/pace/pace.hpp"
#include "pub/source/source.hpp"

namespace sistem {

/// What pub was asked to do; what is published, and as which messages, is its source's.
struct PubConfig : SourceConfig {
  ConnectionConfig connection;
  bool status = false;  ///< keep PREFIX/status at the broker: online, or offline

  std::optional<std::uint64_t> repeat;            ///< publish the one message so often; nothing: see count()
  std::chrono::duration<double> repeat_delay{0};  ///< between two of those
  Pace pace;

  bool stamp = false;                      ///< number each message, with the time when it is sent
  std::optional<std::string> clock_topic;  ///< where to ask how the verifier's clock stands
  bool verbose = false;                    ///< print what is published
  std::optional<ReportFormat> report;      ///< print at the end how it went
  std::optional<OnRefusal> on_refused;     ///< nothing: see on_refusal()

  unsigned clients = 1;                ///< so many connections, each by a process of its own
  std::optional<double> connect_rate;  ///< so many of them are started a second
  int report_to = -1;                  ///< the descriptor by which such a process reports; -1: it does not
  int count_in = -1;                   ///< that of the memory in which it counts what it sends

  bool request = false;                       ///< each message asks for an answer, which is printed
  std::optional<std::string> response_topic;  ///< where answers are expected; nothing: see request_all()
  bool no_newline = false;                    ///< after an answer
  std::chrono::duration<double> timeout{10};  ///< how long an answer, or a ping, may take

  /// What a message does to the run that the broker refuses.
  [[nodiscard]] OnRefusal on_refusal() const {
    return on_refused.value_or(report ? OnRefusal::is_counted : OnRefusal::ends_the_run);
  }

  /// Whether the run publishes one message and ends: a script waits for it.
  [[nodiscard]] bool publishes_one() const {
    return !publishes_readings() && !is_stream() && count() == 1 && files.size() <= 1;
  }

  /// How many turns are taken of a source that is no stream; nothing: until a stop, or the end of --duration.
  [[nodiscard]] std::optional<std::uint64_t> count() const {
    const bool goes_on = publishes_readings() || pace.is_given() || pace.duration;
    return repeat || goes_on ? repeat : std::optional<std::uint64_t>(1);
  }
};

/// Gives what can be known only now its value, once: renders the prefix, and makes the will of --status. Throws
/// UsageError where no topic comes of it.
void settle(PubConfig& config);

/// Reads FROM=TO of --topic-map: "sistem/lab=copy". Throws Expected.
[[nodiscard]] TopicMapping topic_mapping(std::string_view text);

/// pub's table of options, bound to `config`.
[[nodiscard]] std::vector<Option> pub_rows(PubConfig& config);

/// Reads and checks every home of every option. Nothing where something was to be shown, as by --help, and is written
/// to `output`. Throws UsageError.
[[nodiscard]] std::optional<PubConfig> read_pub_config(const Sources& sources, Output& output, const Console& console);

}  // namespace sistem
