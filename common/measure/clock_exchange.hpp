#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "common/measure/stamp.hpp"
#include "common/mqtt/message.hpp"

namespace sistem {

// How far the clocks of pub and sub are apart, found out through the broker, in MQTT 5: pub asks with its time, sub
// answers with the times of arrival and of its answer, both by user properties. What the way there takes longer than
// the way back is taken for a difference of the clocks; it is at most half of what the two ways took, and that is what
// the result may be wrong by.

/// User properties; all times are nanoseconds since 1970.
inline constexpr std::string_view clock_question_at = "stamp-clock-question";  ///< when pub asked
inline constexpr std::string_view clock_answer_at = "stamp-clock-answer";  ///< of an answer: three times, with blanks
inline constexpr std::string_view clock_ahead_by = "stamp-clock-ahead";    ///< nanoseconds, what pub has found:
inline constexpr std::string_view clock_within = "stamp-clock-within";     ///< and may be wrong by

/// By how much the subscriber's clock is ahead of the publisher's, within what.
struct ClockOffset {
  std::chrono::nanoseconds ahead{0};
  std::chrono::nanoseconds within{0};
};

/// Asks on a topic that whoever verifies has subscribed to; the answer is expected on another one.
[[nodiscard]] Message clock_question(const std::string& topic, const std::string& response_topic, Stamp::Time now);

/// The answer to a question that has arrived; nothing where the message is none.
[[nodiscard]] std::optional<Message> clock_answer(const Message& question, Stamp::Time now);

/// What an answer says that arrived at that time, by the clock that the question was asked by; nothing for what is
/// none.
[[nodiscard]] std::optional<ClockOffset> offset_of(const Message& answer, Stamp::Time arrival);

/// Tells whoever verifies what was found.
[[nodiscard]] Message clock_word(const std::string& topic, const std::string& publisher, const ClockOffset& offset);

/// Who tells it, and what; nothing where the message is no such word.
struct ClockWord {
  std::string publisher;
  ClockOffset offset;
};
[[nodiscard]] std::optional<ClockWord> clock_word_of(const Message& message);

/// Whether a message is part of such an exchange, and so none of those that are verified.
[[nodiscard]] bool is_about_clocks(const Message& message);

}  // namespace sistem
