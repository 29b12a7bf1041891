#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/process/console.hpp"
#include "pub/source/input.hpp"
#include "pub/source/source.hpp"

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

/// Each line is a message as common/mqtt/record.hpp has it. `pattern` has what a line does not say; a property of the
/// line's own takes the place of the pattern's. An empty line says nothing. `has_properties`: MQTT 5 is spoken;
/// without, a line with properties is a bad one.
[[nodiscard]] ReadLine json_lines(Message pattern, bool has_properties);

/// Throws Expected where a packet, of at most so many bytes, cannot carry such a message.
void check_size(const Message& message, std::size_t packet = largest_packet);

/// The messages of a recording, each in a turn of its own that is due as long after the first as it arrived then. The
/// time between two is that of the clock that never jumps; where a line does not say it, or it went back since another
/// host or another start of this one wrote it, that of the time of day, and where that went back, too, none.
/// `pattern` has the QoS and the retain flag, where options say them, and properties for all; without `has_properties`
/// messages have none, as before MQTT 5. Reads line by line, so that a recording may be larger than memory. A line that
/// is no message is told as FILE:7. With --loop it begins again without end, as long after its last message as two of
/// it are apart on average; one that has but one message, after a second. Throws UsageError where it cannot be read
/// twice.
[[nodiscard]] Source replay_of(LineReader lines, const SourceConfig& config, const Message& pattern,
                               bool has_properties, const Console& console);

/// Where a topic goes: by the first mapping that has its first levels, or nowhere else.
[[nodiscard]] std::string mapped(const std::string& topic, const std::vector<TopicMapping>& mappings);

}  // namespace sistem
