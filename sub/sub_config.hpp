#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "common/options/connection_options.hpp"
#include "common/options/settings.hpp"
#include "common/process/output.hpp"
#include "common/session.hpp"
#include "sub/match/message_filter.hpp"
#include "sub/show/display.hpp"
#include "sub/verify/verdict.hpp"

namespace sistem {

/// What sub was asked to do: which messages it handles, how it shows them, and what their stamps must show.
struct SubConfig : MatchConfig, DisplayConfig, VerifyConfig {
  ConnectionConfig connection;
  std::vector<std::string> filters;      ///< topic filters; sistem/# where none was given
  std::vector<std::string> unsubscribe;  ///< topic filters to unsubscribe from, after subscribing
  int qos = 0;
  bool no_local = false;                          ///< MQTT 5: what is published with our client id does not come
  std::optional<bool> require_all;                ///< a refused filter ends the run; nothing: see needs_all()
  bool ends_when_met = false;                     ///< by -C, --until or another option that waits for something
  bool retain_as_published = false;               ///< MQTT 5
  std::optional<RetainHandling> retain_handling;  ///< MQTT 5; nothing: always
  bool stamped = false;                           ///< payloads may begin with stamps: take them off
  bool exit_after_suback = false;                 ///< -E

  std::optional<std::string> respond;       ///< answer each message with what this format makes of it
  std::optional<std::string> respond_exec;  ///< or with the output of this command,
  bool respond_shell = false;               ///< a line for the shell, or else a program and its arguments:
  std::vector<std::string> respond_words;   ///< what is started; set where the options are checked
  std::size_t respond_max = 4;              ///< so many of them may run at the same time
  std::chrono::duration<double> respond_timeout{30};
  std::optional<std::string> response_topic;  ///< a format: where requests are answered that say nothing of it

  std::optional<std::string> record;                     ///< the file that keeps what is printed
  bool append = false;                                   ///< behind what it holds already
  bool says_when_ready = true;                           ///< on stderr, for a script to wait for
  Overflow overflow = Overflow::block;                   ///< where stdout's reader is slow
  bool verify = false;                                   ///< report on stamps instead of printing messages
  std::chrono::milliseconds look_at_reader{1000};        ///< how often a quiet sub looks whether its reader is there
  bool why = false;                                      ///< where nothing comes, look which topics there are
  std::optional<std::size_t> count;                      ///< end after so many messages
  std::optional<std::size_t> expect;                     ///< the same, but that fewer are a verdict
  std::optional<std::chrono::duration<double>> timeout;  ///< end so long after the SUBACK
  std::optional<std::chrono::duration<double>> idle;     ///< end when nothing has come for so long

  /// Whether messages are answered.
  [[nodiscard]] bool responds() const { return respond || respond_exec; }

  /// Whether one refused filter of several ends the run.
  [[nodiscard]] bool needs_all() const { return require_all.value_or(ends_when_met); }

  /// How many messages end the run.
  [[nodiscard]] std::optional<std::size_t> wanted() const { return count ? count : expect; }

  /// How many messages it takes from the broker before it looks whether that is enough; none: as many as come. In a
  /// session that is kept, what comes after the one that --until waits for is for the next who asks.
  [[nodiscard]] std::optional<std::size_t> takes_at_once() const { return until && is_kept(connection) ? 1 : wanted(); }
};

/// sub's table of options, bound to `config`.
[[nodiscard]] std::vector<Option> sub_rows(SubConfig& config);

/// Reads and checks every home of every option. Nothing where something was to be shown, as by --help, and is written
/// to `output`. Throws UsageError.
[[nodiscard]] std::optional<SubConfig> read_sub_config(const Sources& sources, Output& output, const Console& console);

}  // namespace sistem
