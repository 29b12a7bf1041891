#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "common/process/console.hpp"
#include "pub/source/input.hpp"
#include "pub/source/source.hpp"
#include "pub/source/source_config.hpp"

namespace sistem {

/// What a line of input says.
struct LineMessage {
  Message message;
  std::optional<std::chrono::nanoseconds> delay = {};  ///< after the message before
};

/// Makes a message of a line; nothing where the line says nothing. Throws Expected for a line that is none, as the end
/// of a complaint: "topic: expected at least one character".
using ReadLine = std::function<std::optional<LineMessage>(std::string line)>;

/// The messages that the lines of an input are, each as it comes. A line that is none is told with its number, as
/// `stdin:7: ...`, by a UsageError or, where such lines are skipped, by a note; a last note says how many were.
/// `on_again`: where the input ends it is read again, and this is told. One without any message ends all the same.
[[nodiscard]] Source messages_of(LineReader lines, ReadLine read, OnBadLine on_bad_line, const Console& console,
                                 std::function<void()> on_again = {});

/// Each line is the payload of a message like `pattern`.
[[nodiscard]] ReadLine payload_lines(Message pattern);

/// Each line is a topic, a blank and the payload; without a blank the payload is empty.
[[nodiscard]] ReadLine topic_lines(Message pattern);

/// Throws Expected where a packet, of at most so many bytes, cannot carry such a message.
void check_size(const Message& message, std::size_t packet = largest_packet);

/// Throws Expected where no message can have this topic.
void check_topic(const std::string& topic);

}  // namespace sistem
