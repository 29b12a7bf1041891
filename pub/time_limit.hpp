#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <thread>

#include "common/process/stop.hpp"
#include "common/process/thread.hpp"

namespace sistem {

/// A stop that is also requested when the run's time is over.
class TimeLimit {
 public:
  TimeLimit(const std::stop_token& stop, std::optional<Deadline> end)
      : pass_on_(stop, [this] { over_.request_stop(); }) {
    if (end) {
      timer_ = start_thread<std::jthread>([this, end](const std::stop_token& cancelled) {
        if (sleep_until(*end, cancelled)) {
          over_.request_stop();
        }
      });
    }
  }

  [[nodiscard]] std::stop_token token() const { return over_.get_token(); }

 private:
  std::stop_source over_;
  std::stop_callback<std::function<void()>> pass_on_;
  std::jthread timer_;
};

}  // namespace sistem
