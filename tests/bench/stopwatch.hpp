#pragma once

#include <string>
#include <vector>

/// Commands, timed from outside by a process so small that their peak memory is their own: Linux counts for a child
/// what its parent had in memory when it was started.
namespace sistem::bench {

struct Run {
  std::vector<std::string> command;
  std::string input;     ///< a file for its stdin; empty: ours
  int lines = 0;         ///< read its stdout up to so many lines, then end it by SIGTERM; 0: stdout is /dev/null
  double pause = 0;      ///< seconds in which nothing is read after the first bytes came
  double patience = 15;  ///< seconds without a line after which no more are waited for
  double limit = 120;    ///< seconds after which it is killed
};

/// Prints one line of JSON: status, wall_ns, user_s, system_s, peak_rss_kib, and with lines how many came and when the
/// last one that was waited for did.
void time_run(const Run& run);

/// Runs a command again and again, and prints the list of its wall times in nanoseconds as JSON. Throws when one fails.
void time_one_shots(const std::vector<std::string>& command, int times);

}  // namespace sistem::bench
