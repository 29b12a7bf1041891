#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "common/paho/retry.hpp"
#include "common/process/error.hpp"
#include "common/process/stop.hpp"

namespace sistem {

/// The thread that regains a connection. It decides when to try and when to give up; what it does is in functions that
/// its session gives it, and a test can.
class Keeper {
 public:
  /// After the loss of a connection that has held this long, and of which something has come, the next attempt is made
  /// at once. One that is lost earlier (another client with our id, a packet that the broker closes it for) is not made
  /// up for in a hurry.
  static constexpr std::chrono::seconds held_at_work{1};

  /// What became of the connection that was lost last.
  struct Life {
    Deadline::duration lasted{0};
    bool was_of_use = false;  ///< something has come of it
  };
  enum class Told : std::uint8_t {
    is_told,       ///< to the user
    is_explained,  ///< by something that need not be sent again: the next attempt may be made soon
    is_over        ///< a stop was requested, or the session has ended
  };
  struct Attempt {
    bool is_regained = false;
    bool was_connected = false;  ///< though it may be lost again before all was as it was
    bool is_explained = false;   ///< as above
    bool was_of_use = false;
  };

  struct Tasks {
    /// Returns when the connection is lost; false if a stop was requested.
    std::function<bool(const std::stop_token&)> wait_for_loss;
    std::function<bool()> is_over;  ///< the session is
    std::function<Life()> life;
    /// Looks for the reason of the loss, and tells it. Throws Error if the connection is not to be regained.
    std::function<Told(const std::stop_token&)> explain;
    /// Connects, and brings back what was subscribed and is unacknowledged. Throws Error if that is of no use.
    std::function<Attempt(Deadline limit, const std::stop_token&)> regain;
    std::function<std::string()> broker;  ///< where it is, in words
    /// There is no connection any more and will be none.
    std::function<void(const Error&)> end;
    std::function<Deadline()> now = [] { return std::chrono::steady_clock::now(); };
    std::function<bool(Deadline, const std::stop_token&)> sleep = [](Deadline until, const std::stop_token& stop) {
      return sleep_until(until, stop);
    };
  };

  /// `limit`: of one outage, which ends where a connection has been of use. `longest`: between two attempts.
  Keeper(Tasks tasks, std::optional<Retry::Seconds> limit, Retry::Seconds longest);

  /// From here on start() begins its work. Any thread may call this and start().
  void allow();
  /// Begins its work if it has not. Not sooner than there is something to see to: a thread is a tenth of what one
  /// message takes from start to exit. Throws Error if the system has no thread.
  void start();
  /// Ends its work, for good; waits for the end. Not to be called with a lock held that the tasks take.
  void stop();

  /// What its thread does until a stop is requested.
  void run(const std::stop_token& stop);

 private:
  void begin_outage(Deadline now);
  bool regain(const std::stop_token& stop);
  bool wait(const std::stop_token& stop);
  void give_up(const std::stop_token& stop);

  const Tasks tasks_;
  const std::optional<Retry::Seconds> limit_;
  Retry retry_;
  std::string lost_at_;       ///< where the broker is whose connection was lost last
  std::size_t accepted_ = 0;  ///< connections made in this outage, and lost again before they were of use

  std::mutex mutex_;  ///< of the next two
  bool is_allowed_ = false;
  std::jthread thread_;
};

}  // namespace sistem
