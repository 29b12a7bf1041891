#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/connection.hpp"
#include "common/output.hpp"
#include "common/session.hpp"
#include "common/settings.hpp"
#include "sub/colour.hpp"
#include "sub/verdict.hpp"

namespace sistem {

/// When what is printed has colours.
enum class ColourWhen : std::uint8_t { automatic, always, not_at_all };

/// What sub was asked to do.
struct SubConfig {
  ConnectionConfig connection;
  std::vector<std::string> filters;      ///< topic filters; sistem/# where none was given
  std::vector<std::string> unsubscribe;  ///< topic filters to unsubscribe from, after subscribing
  std::vector<std::string> filter_out;   ///< topic filters of messages that are not handled
  int qos = 0;
  bool no_local = false;  ///< MQTT 5: what is published with our client id does not come
  std::optional<bool>
      require_all;  ///< a refused filter ends the run; nothing: with -C, --expect, --until, -E and --verify
  bool retain_as_published = false;               ///< MQTT 5
  std::optional<RetainHandling> retain_handling;  ///< MQTT 5; nothing: always
  bool skip_retained = false;                     ///< -R: do not handle retained messages
  bool retained_only = false;                     ///< handle retained messages only, and end with the first other
  bool remove_retained = false;                   ///< have the broker forget each retained message that is handled
  bool stamped = false;                           ///< payloads may begin with stamps: take them off
  double random_filter = 100;                     ///< percentage of messages that are printed
  bool exit_after_suback = false;                 ///< -E
  bool dry_run = false;                           ///< print what remove_retained would remove, and remove nothing
  std::vector<std::string> match;                 ///< regular expressions, of which a payload matches one
  std::vector<std::string> json_match;            ///< conditions that all hold for a JSON payload
  bool unique = false;                            ///< only where the payload is not the one before it on its topic
  std::size_t every = 1;                          ///< each N-th of the messages that are chosen

  std::optional<std::string> respond;       ///< answer each message with what this format makes of it
  std::optional<std::string> respond_exec;  ///< or with the output of this command,
  bool respond_shell = false;               ///< a line for the shell, or else a program and its arguments:
  std::vector<std::string> respond_words;   ///< what is started; set where the options are checked
  std::size_t respond_max = 4;              ///< so many of them may run at the same time
  std::chrono::duration<double> respond_timeout{30};
  std::optional<std::string> response_topic;  ///< a format: where requests are answered that say nothing of it

  bool verbose = false;                                  ///< print the topic before each payload
  std::optional<std::string> format;                     ///< -F
  bool json = false;                                     ///< as common/record.hpp has it
  bool hex = false;                                      ///< as a dump
  bool csv = false;                                      ///< as a table
  bool pretty = false;                                   ///< JSON over several lines
  bool no_newline = false;                               ///< -N
  bool null = false;                                     ///< NUL behind each message instead of a newline
  std::optional<std::string> record;                     ///< the file that keeps what is printed
  bool append = false;                                   ///< behind what it holds already
  bool drop_in = false;                                  ///< called by mosquitto_sub's name
  bool says_when_ready = true;                           ///< on stderr, for a script to wait for
  ColourWhen colour = ColourWhen::automatic;             ///< always: and the layout for a terminal, wherever it goes
  Palette palette = Palette::none;                       ///< what the environment says that a terminal has
  bool dumb_terminal = false;                            ///< it says that on a terminal nothing can be drawn
  bool watch = false;                                    ///< show each topic's last message
  bool message_rate = false;                             ///< show how many messages come
  std::optional<std::string> graph;                      ///< show the numbers of this field
  Overflow overflow = Overflow::block;                   ///< where stdout's reader is slow
  bool verify = false;                                   ///< report on stamps instead of printing messages
  std::size_t publishers = 1;                            ///< so many end the run when they have ended
  bool subtract_offset = false;                          ///< of the publisher's clock, from latencies
  Budgets budgets;                                       ///< of --verify
  std::optional<ReportFormat> report;                    ///< how --verify reports; nothing: as text
  std::optional<std::string> report_file;                ///< gets the report behind what it holds; else stdout does
  bool why = false;                                      ///< where nothing comes, look which topics there are
  std::optional<std::size_t> count;                      ///< end after so many messages
  std::optional<std::size_t> expect;                     ///< the same, but that fewer are a verdict
  std::optional<std::chrono::duration<double>> timeout;  ///< end so long after the SUBACK
  std::optional<std::chrono::duration<double>> idle;     ///< end when nothing has come for so long
  std::optional<std::string> until;                      ///< end with the first payload that matches

  /// Whether messages are answered.
  [[nodiscard]] bool responds() const { return respond || respond_exec; }

  /// Whether one refused filter of several ends the run.
  [[nodiscard]] bool needs_all() const {
    return require_all.value_or(wanted() || until || exit_after_suback || verify);
  }

  /// How many messages end the run.
  [[nodiscard]] std::optional<std::size_t> wanted() const { return count ? count : expect; }

  /// How many messages it takes from the broker before it looks whether that is enough; none: as many as come. In a
  /// session that is kept, what comes after the one that --until waits for is for the next who asks.
  [[nodiscard]] std::optional<std::size_t> takes_at_once() const {
    const bool is_kept = !connection.clean_session || connection.session_expiry.value_or(0) > 0;
    return until && is_kept ? 1 : wanted();
  }
};

/// sub's table of options, bound to `config`.
[[nodiscard]] std::vector<Option> sub_rows(SubConfig& config);

/// Reads and checks every home of every option. Nothing where something was to be shown, as by --help, and is written
/// to `output`. Throws UsageError.
[[nodiscard]] std::optional<SubConfig> read_sub_config(const Sources& sources, Output& output, const Console& console);

}  // namespace sistem
