#include "common/net/unreachable.hpp"

#include <fmt/format.h>

namespace sistem {

void await(int fd, std::int16_t events, Deadline deadline, const std::stop_token& stop, const std::string& doing) {
  switch (wait_for(fd, events, deadline, stop)) {
    case Woken::ready: return;
    case Woken::deadline: throw Unreachable(fmt::format("time was up while {}", doing));
    case Woken::stopped: throw Unreachable(fmt::format("stopped while {}", doing));
  }
}

}  // namespace sistem
