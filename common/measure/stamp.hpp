#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/mqtt/message.hpp"

namespace sistem {

// What a publisher writes on a message so that a subscriber can tell what was lost and how long it took: MQTT 5 user
// properties of these names.
inline constexpr std::string_view stamp_publisher = "stamp-publisher";
inline constexpr std::string_view stamp_seq = "stamp-seq";    ///< a whole number
inline constexpr std::string_view stamp_time = "stamp-time";  ///< nanoseconds since 1970
/// The same, of when the message should have been sent; behind the time, and only where there was a pace. What waits
/// because the one before it was slow is late by this one, and would not be by the other.
inline constexpr std::string_view stamp_due = "stamp-due";
inline constexpr std::string_view stamp_crc = "stamp-crc";  ///< CRC-32 of the payload (as of zlib), eight hex digits
/// In place of stamp-seq, on the message that comes last: how many came before it. Whoever counts them knows by it
/// whether the last ones were lost.
inline constexpr std::string_view stamp_count = "stamp-count";

// Before MQTT 5 there are no properties, and the stamp is a line of text before the payload:
//
//     ~stamp1 SEQ TIME DUE CRC PUBLISHER\n
//
// with one blank between two of them. The numbers are as above, those but CRC in decimal digits alone; DUE is - where
// there is none; the message that comes last has =COUNT in the place of SEQ. PUBLISHER is all the rest of the line: it
// may be empty and have blanks, and control characters it has none, so that the first newline ends the stamp. All that
// is behind that is the payload, of whatever bytes. Another form than this one will have another first word.
inline constexpr std::string_view stamp_word = "~stamp1";

struct Stamp {
  using Time = std::chrono::system_clock::time_point;

  std::string publisher;  ///< who counts; may be empty
  std::uint64_t sequence = 0;
  Time sent;
  std::optional<Time> due = {};
  std::optional<std::uint32_t> checksum = {};  ///< of the payload; put_stamp() writes the right one anyway
};

/// What the last message of a publisher says.
struct StampEnd {
  std::string publisher;
  std::uint64_t count = 0;  ///< of the messages before it
  Stamp::Time sent;
};

/// Where a stamp stands on a message.
enum class StampPlace : std::uint8_t { properties, payload };

/// Nothing where the message has none, or one without its number or time, or with one that is wrong. Of several the
/// last counts. One in the payload is none yet: see take_stamp_off().
[[nodiscard]] std::optional<Stamp> stamp_of(const Message& message);

/// The same of the stamp of the message that comes last, which is no stamp for stamp_of().
[[nodiscard]] std::optional<StampEnd> stamp_end_of(const Message& message);

/// Whether the payload is the one that was stamped; true also where the stamp does not say.
[[nodiscard]] bool is_intact(const Message& message, const Stamp& stamp);

/// Writes the stamp on the message: behind the properties that it has, so that of several this one is the last, or
/// before its payload. The publisher has no control characters.
void put_stamp(const Stamp& stamp, StampPlace place, Message& message);
void put_stamp_end(const StampEnd& end, StampPlace place, Message& message);

/// Takes a stamp off the front of the payload and makes it the user properties that it would be in MQTT 5. A payload
/// that does not begin with a stamp as described above stays as it is, and so does that of a message that is stamped by
/// properties: there it is the publisher's own.
void take_stamp_off(Message& message);

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
