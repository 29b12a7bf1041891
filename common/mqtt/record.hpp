#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "common/mqtt/message.hpp"

namespace sistem {

// One message as one line of JSON: what sub prints with --json and keeps with --record, and what pub publishes with
// --jsonl and --replay. Its keys, in this order:
//
//   topic, payload (text) or payload_base64 (other bytes), qos, retain, dup (only true), mid (only at QoS 1 and 2),
//   arrival (UTC, "2026-11-25T09:36:56.123456789Z"), monotonic_ns (of a clock that never jumps; its zero says nothing),
//   properties (only where there are some; by the names that -D takes; user-property is an array of pairs,
//   subscription-identifier an array of numbers, correlation-data may be correlation-data_base64)

/// Appends such a line, without a newline at its end. It is JSON in UTF-8 whatever the message holds.
void append_record(const Message& message, std::string& out);

/// A line that was read back.
struct Record {
  Message message;
  std::optional<std::chrono::duration<double>> delay;  ///< "delay": it is not to be published before so many seconds
};

/// Reads such a line. What it leaves out is as in `otherwise`; the topic must be here or there. "delay" is taken, too.
/// Properties that only a broker may send, or that mean nothing on another connection (subscription-identifier,
/// topic-alias), are left out of what is read. Throws Expected, which begins with the key that is wrong: `qos: expected
/// 0, 1 or 2, got 7`; a key that nobody knows is wrong.
[[nodiscard]] Record read_record(std::string_view line, Message otherwise = {});

}  // namespace sistem
