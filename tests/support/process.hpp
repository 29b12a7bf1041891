#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace sistem::test {

/// How long a test waits for something that must happen before it calls it missing: generous, because only a failing
/// test ever waits that long.
inline constexpr std::chrono::seconds patience{20};

/// How a process is started.
struct Start {
  std::vector<std::string> command;                ///< found by PATH; no shell
  std::map<std::string, std::string> environment;  ///< added to a small fixed one (PATH, HOME, no MQTT_*)
  bool keep_environment = false;                   ///< start from the test's own environment instead
  std::string directory;                           ///< where it runs; empty: here
};

/// A child process with its stdin, stdout and stderr in our hands. Killed and reaped when it goes out of scope.
/// A wait that fails throws std::runtime_error with the command line and all that the process has printed.
class Process {
 public:
  explicit Process(const Start& start);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  /// Writes to its stdin.
  void write(const std::string& bytes);
  void close_stdin();
  /// Closes our end of its stdout, as `| head` does when it has had enough.
  void close_stdout();
  /// Sends a signal to it (not to its children).
  void signal(int number) const;

  /// Reads until stdout (stderr) holds `text`.
  void wait_for_stdout(const std::string& text, std::chrono::milliseconds limit = patience);
  void wait_for_stderr(const std::string& text, std::chrono::milliseconds limit = patience);
  /// Reads until stderr holds `text`, and leaves stdout unread.
  void wait_for_stderr_alone(const std::string& text);

  /// Reads what it has printed so far, without waiting.
  void poll_output();
  /// Whether it has ended.
  [[nodiscard]] bool ended() { return reap(false); }

  /// Waits, without reading it, until that pipe holds much and gets no more: what it writes next blocks it. How
  /// much a full pipe holds depends on the sizes of the writes.
  void wait_for_full_stdout() { wait_for_full(stdout_); }
  void wait_for_full_stderr() { wait_for_full(stderr_); }

  /// Reads until it ends; its exit status, or 128+n where signal n ended it.
  int wait(std::chrono::milliseconds limit = patience);
  /// The same, as a parent that never reads what its child prints.
  int wait_without_reading(std::chrono::milliseconds limit = patience);

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] const std::string& out() const { return out_; }
  [[nodiscard]] const std::string& err() const { return err_; }
  /// Command line, exit status so far, stdout and stderr: what a failing test prints.
  [[nodiscard]] std::string report() const;

 private:
  enum class Read { both, stderr_alone };
  void read_some(std::chrono::milliseconds limit, Read what = Read::both);
  void wait_for(const std::string& text, const std::string& where, std::chrono::milliseconds limit,
                Read what = Read::both);
  void wait_for_full(int pipe);
  bool reap(bool block);

  std::string command_;
  pid_t pid_ = -1;
  int status_ = -1;
  int stdin_ = -1;
  int stdout_ = -1;
  int stderr_ = -1;
  std::string out_;
  std::string err_;
};

/// What a finished process left.
struct Result {
  int status;
  std::string out;
  std::string err;
  std::string report;  ///< for the message of a failing check
};

/// Runs a command to its end with `input` on its stdin.
[[nodiscard]] Result run(const Start& start, const std::string& input = {}, std::chrono::milliseconds limit = patience);

}  // namespace sistem::test
