#pragma once

#include <chrono>
#include <optional>

/// What Paho's receive thread waits with. It serves all wires; only it calls the first function.
namespace sistem::receive_thread {

/// Waits until a wire has something for Paho; its socket. Nothing if none had in that time.
[[nodiscard]] std::optional<int> wait_for_ready(std::chrono::milliseconds timeout);

/// False if the system has no descriptor left for what wakes it.
[[nodiscard]] bool is_ready();

/// It is to look at its wires now: one of them has something that came from no network, or waits for room in its
/// socket. Any thread may call.
void wake();

}  // namespace sistem::receive_thread
