#include "common/paho/ending.hpp"

#include <fmt/format.h>

#include <chrono>

#include "common/process/error.hpp"

namespace sistem {

std::string Ending::words(std::optional<Deadline> pinged_at) const {
  if (!is_given_up_) {
    return error_.value_or(0) == 0 ? "closed by the broker" : errno_words(*error_);
  }
  if (!pinged_at) {
    return "given up by the MQTT library";
  }
  const auto silence = std::chrono::round<std::chrono::seconds>(std::chrono::steady_clock::now() - *pinged_at);
  return fmt::format("no answer to a ping for {} s", silence.count());
}

}  // namespace sistem
