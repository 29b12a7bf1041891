#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/message.hpp"

namespace sistem {

// What a publisher writes on a message so that a subscriber can tell what was lost and how long it took: MQTT 5 user
// properties of these names.
inline constexpr std::string_view stamp_publisher = "stamp-publisher";
inline constexpr std::string_view stamp_seq = "stamp-seq";    ///< a whole number
inline constexpr std::string_view stamp_time = "stamp-time";  ///< nanoseconds since 1970

struct Stamp {
  std::string publisher;  ///< who counts; may be empty
  std::uint64_t sequence = 0;
  std::chrono::system_clock::time_point sent;
};

/// Nothing where the message has none, or one without its number or time, or with one that is wrong. Of several the
/// last counts.
[[nodiscard]] std::optional<Stamp> stamp_of(const Message& message);

}  // namespace sistem
