#pragma once

#include <cstdint>
#include <stdexcept>
#include <stop_token>
#include <string>

#include "common/process/stop.hpp"

namespace sistem {

/// Why one way to the broker failed, fit for the middle of a sentence: "connection refused (tried 127.0.0.1)".
/// Dialer makes an Error of it.
class Unreachable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// wait_for(), where anything but ready is the end of the way. Throws Unreachable, which says that it happened
/// "while" `doing`.
void await(int fd, std::int16_t events, Deadline deadline, const std::stop_token& stop, const std::string& doing);

}  // namespace sistem
