#pragma once

#include <poll.h>

#include <chrono>
#include <cstdint>
#include <span>
#include <stop_token>

namespace sistem {

/// A moment on the clock that nobody sets; `never` for waits that only an event ends.
using Deadline = std::chrono::steady_clock::time_point;
inline constexpr Deadline never = Deadline::max();

/// The moment `from_now` seconds from now.
[[nodiscard]] Deadline deadline_in(std::chrono::duration<double> from_now);

/// What ended a wait.
enum class Woken { ready, deadline, stopped };

/// Waits until `events` (POLLIN, POLLOUT: poll(2)) come true for `fd`, the deadline passes or a stop is requested.
/// An error or a hang-up of the descriptor counts as ready: the call that follows will say what it is.
[[nodiscard]] Woken wait_for(int fd, std::int16_t events, Deadline deadline, const std::stop_token& stop);

/// The same for several descriptors, any of which will do: as poll(2), whose `revents` say which. Negative ones are
/// passed over.
[[nodiscard]] Woken wait_for_any(std::span<pollfd> descriptors, Deadline deadline, const std::stop_token& stop);

/// Sleeps until the deadline; true where it passed, false where a stop was requested before.
[[nodiscard]] bool sleep_until(Deadline deadline, const std::stop_token& stop);

}  // namespace sistem
