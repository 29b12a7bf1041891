#pragma once

#include <fmt/format.h>

#include <system_error>
#include <thread>
#include <utility>

#include "common/process/error.hpp"

namespace sistem {

/// Starts a thread. Throws Error where the system has none left, or no memory for its stack.
template <typename Thread = std::thread, typename Body>
[[nodiscard]] Thread start_thread(Body&& body) {
  try {
    return Thread(std::forward<Body>(body));
  } catch (const std::system_error& error) {
    throw Error{fmt::format("cannot start a thread: {}", errno_words(error.code().value()))};
  }
}

}  // namespace sistem
