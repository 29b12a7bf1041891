#pragma once

#include <stdexcept>
#include <string>

namespace sistem {

/// What both tools' exit statuses mean; a second signal n adds 128+n. The README and the manual have the same table.
enum class ExitStatus : int {
  success = 0,         ///< everything published was accepted, or what was asked for arrived
  failure = 1,         ///< reading, writing, or something this table has no better word for
  usage = 2,           ///< command line, environment, options file, or an input line
  no_broker = 3,       ///< name, route, refused connection, silence; or lost and not regained
  broker_refused = 4,  ///< CONNECT was refused, or DISCONNECT says that coming back is of no use
  topic_refused = 5,   ///< by SUBACK, PUBACK, PUBREC or DISCONNECT, or by closing the connection each time
  verdict = 6,         ///< an expectation or a budget of the run was not kept
  timed_out = 27,      ///< time was up before what was asked for had arrived
};

/// Whatever ends a run early: one sentence for a person, without the tool's name, and the status to end with.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& what, ExitStatus status = ExitStatus::failure)
      : std::runtime_error(what), status_(status) {}

  [[nodiscard]] ExitStatus status() const { return status_; }

 private:
  ExitStatus status_;
};

/// The user must change something that they typed or wrote: the sentence names where.
class UsageError : public Error {
 public:
  explicit UsageError(const std::string& what) : Error(what, ExitStatus::usage) {}
};

/// The system's words for an errno, fit for the middle of a sentence: "connection refused".
[[nodiscard]] std::string errno_words(int error);

/// From here on memory that is not to be had ends the process with a word of this tool and status 1, whichever thread
/// wants it: nothing that is left could go on, and Paho C does not ask whether it has got any.
void end_where_memory_is_short(const std::string& tool);

/// Ends it so.
[[noreturn]] void memory_is_short();

}  // namespace sistem
