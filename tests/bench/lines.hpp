#pragma once

#include <cstdint>

/// Lines for `-l`, and lines that say when they were written.
namespace sistem::bench {

/// Writes numbered lines of so many bytes, without the newline, to stdout.
void write_lines(std::int64_t count, int size);

/// Writes a line with the time as often a second for so many seconds, each at once and on an absolute schedule.
void feed(double rate, double seconds);

/// Reads such lines from stdin until as many have come, or none has for `patience` seconds; prints how many came, and
/// how old all but the first `skip` were when they were read, in milliseconds, as JSON.
void collect(std::int64_t count, std::int64_t skip, double patience);

}  // namespace sistem::bench
