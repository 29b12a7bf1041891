#include "common/measure/stamp.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "common/mqtt/property.hpp"
#include "common/mqtt/topic.hpp"
#include "common/text/encoding.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

/// In the place of what a line does not say.
constexpr std::string_view none = "-";

/// Before the number of the message that comes last.
constexpr std::string_view end_sign = "=";

/// The longest publisher: MQTT's strings are no longer.
constexpr std::size_t longest_publisher = 65535;

/// One since 1970: what is before would overflow where latency is reckoned.
std::optional<Stamp::Time> parsed_time(std::string_view text) {
  const auto number = number_of<std::int64_t>(text);
  return number && *number >= 0 ? std::optional(Stamp::Time{std::chrono::nanoseconds{*number}}) : std::nullopt;
}

std::int64_t nanoseconds_of(Stamp::Time time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

std::string text_of(Stamp::Time time) { return std::to_string(nanoseconds_of(time)); }

bool is_control(char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7F'; }

std::string text_of_checksum(std::uint32_t checksum) { return fmt::format("{:08x}", checksum); }

std::optional<std::uint32_t> checksum_of(std::string_view text) {
  const auto bytes = text.size() == 8 ? bytes_of_hex(text) : std::nullopt;
  return bytes ? std::optional(static_cast<std::uint32_t>(number_of_big_endian(*bytes))) : std::nullopt;
}

std::uint32_t checksum_of_payload(std::string_view payload) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): zlib's bytes are unsigned
  return static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const Bytef*>(payload.data()), payload.size()));
}

/// A stamp in words, as they stand in its line and in its properties.
struct Written {
  std::string publisher;
  bool is_end = false;
  std::string number;
  std::string sent;
  std::string due = std::string(none);
  std::string checksum = std::string(none);
};

std::string line_of(const Written& stamp) {
  return fmt::format("{} {}{} {} {} {} {}\n", stamp_word, stamp.is_end ? end_sign : "", stamp.number, stamp.sent,
                     stamp.due, stamp.checksum, stamp.publisher);
}

/// Nothing where it is no such line.
std::optional<Written> written_in(std::string_view line) {
  std::array<std::string_view, 5> words;
  for (std::string_view& word : words) {
    const std::size_t blank = line.find(' ');
    if (blank == std::string_view::npos) {
      return std::nullopt;
    }
    word = line.substr(0, blank);
    line.remove_prefix(blank + 1);
  }
  auto [first, number, sent, due, checksum] = words;
  const bool is_end = number.starts_with(end_sign);
  number.remove_prefix(is_end ? end_sign.size() : 0);
  if (first != stamp_word || line.size() > longest_publisher || std::ranges::any_of(line, is_control) ||
      !number_of<std::uint64_t>(number) || !parsed_time(sent) || (!parsed_time(due) && due != none) ||
      (!checksum_of(checksum) && checksum != none)) {
    return std::nullopt;
  }
  return Written{std::string(line), is_end,           std::string(number),
                 std::string(sent), std::string(due), std::string(checksum)};
}

void put(const Written& stamp, StampPlace place, Message& message) {
  if (place == StampPlace::payload) {
    message.payload.insert(0, line_of(stamp));
    return;
  }
  const auto add = [&](std::string_view name, const std::string& value) {
    if (value != none) {
      message.properties.push_back(as_user_property(name, value));
    }
  };
  message.properties.push_back(as_user_property(stamp_publisher, stamp.publisher));
  add(stamp.is_end ? stamp_count : stamp_seq, stamp.number);
  add(stamp_time, stamp.sent);
  add(stamp_due, stamp.due);
  add(stamp_crc, stamp.checksum);
}

/// All that the properties say, of several stamps what the last one does.
struct Said {
  Stamp stamp;
  std::optional<std::uint64_t> sequence;
  std::optional<std::uint64_t> count;
  std::optional<Stamp::Time> sent;
};

Said said_by(const Message& message) {
  Said said;
  for (const Property& property : message.properties) {
    if (property.identifier != property_id::user_property) {
      continue;
    }
    if (property.name == stamp_publisher) {
      said.stamp.publisher = property.text;
    } else if (property.name == stamp_seq) {
      said.sequence = number_of<std::uint64_t>(property.text);
      said.count.reset();
    } else if (property.name == stamp_count) {
      said.count = number_of<std::uint64_t>(property.text);
      said.sequence.reset();
    } else if (property.name == stamp_time) {
      said.sent = parsed_time(property.text);
      said.stamp.due.reset();  // those of a stamp before this one
      said.stamp.checksum.reset();
    } else if (property.name == stamp_due) {
      said.stamp.due = parsed_time(property.text);
    } else if (property.name == stamp_crc) {
      said.stamp.checksum = checksum_of(property.text);
    }
  }
  return said;
}

/// Half of what a difference of two of them can be, so that none overflows: a century and a half.
constexpr std::int64_t greatest = std::int64_t{1} << 62;

std::optional<std::int64_t> whole(std::string_view text) {
  const auto number = number_of<std::int64_t>(text);
  return number && *number <= greatest && *number >= -greatest ? number : std::nullopt;
}

std::optional<std::string> user_property_of(const Message& message, std::string_view name) {
  for (const Property& property : message.properties) {
    if (property.identifier == property_id::user_property && property.name == name) {
      return property.text;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Stamp> stamp_of(const Message& message) {
  Said said = said_by(message);
  if (!said.sequence || !said.sent) {
    return std::nullopt;
  }
  said.stamp.sequence = *said.sequence;
  said.stamp.sent = *said.sent;
  return std::move(said.stamp);
}

std::optional<StampEnd> stamp_end_of(const Message& message) {
  Said said = said_by(message);
  if (!said.count || !said.sent) {
    return std::nullopt;
  }
  return StampEnd{std::move(said.stamp.publisher), *said.count, *said.sent};
}

bool is_intact(const Message& message, const Stamp& stamp) {
  return !stamp.checksum || *stamp.checksum == checksum_of_payload(message.payload);
}

void put_stamp(const Stamp& stamp, StampPlace place, Message& message) {
  put({stamp.publisher, false, std::to_string(stamp.sequence), text_of(stamp.sent),
       stamp.due ? text_of(*stamp.due) : std::string(none), text_of_checksum(checksum_of_payload(message.payload))},
      place, message);
}

void put_stamp_end(const StampEnd& end, StampPlace place, Message& message) {
  put({end.publisher, true, std::to_string(end.count), text_of(end.sent)}, place, message);
}

void take_stamp_off(Message& message) {
  if (!message.payload.starts_with(stamp_word) || stamp_of(message) || stamp_end_of(message)) {
    return;
  }
  const std::size_t end = message.payload.find('\n');
  const auto written =
      end == std::string::npos ? std::nullopt : written_in(std::string_view(message.payload).substr(0, end));
  if (written) {
    message.payload.erase(0, end + 1);
    put(*written, StampPlace::properties, message);
  }
}

Message clock_question(const std::string& topic, const std::string& response_topic, Stamp::Time now) {
  return {.topic = topic,
          .properties = {{property_id::response_topic, 0, response_topic},
                         as_user_property(clock_question_at, std::to_string(nanoseconds_of(now)))}};
}

std::optional<Message> clock_answer(const Message& question, Stamp::Time now) {
  const auto asked = user_property_of(question, clock_question_at);
  const auto topic = text_in(question.properties, "response-topic");
  if (!asked || !whole(*asked) || !topic || fault_of_topic_name(*topic)) {
    return std::nullopt;
  }
  return Message{
      .topic = *topic,
      .properties = {as_user_property(
          clock_answer_at, fmt::format("{} {} {}", *asked, nanoseconds_of(question.arrival), nanoseconds_of(now)))}};
}

std::optional<ClockOffset> offset_of(const Message& answer, Stamp::Time arrival) {
  const auto said = user_property_of(answer, clock_answer_at);
  if (!said) {
    return std::nullopt;
  }
  const auto words = pieces(*said + ' ', " ");
  if (words.size() != 3) {
    return std::nullopt;
  }
  const auto asked = whole(words[0]);
  const auto heard = whole(words[1]);
  const auto answered = whole(words[2]);
  if (!asked || !heard || !answered || *asked < 0 || *heard < 0 || *answered < 0) {
    return std::nullopt;
  }
  const std::int64_t there = *heard - *asked;
  const std::int64_t back = nanoseconds_of(arrival) - *answered;
  return ClockOffset{std::chrono::nanoseconds(there / 2 - back / 2),
                     std::chrono::nanoseconds(there / 2 + back / 2 + 1)};
}

Message clock_word(const std::string& topic, const std::string& publisher, const ClockOffset& offset) {
  return {.topic = topic,
          .properties = {as_user_property(stamp_publisher, publisher),
                         as_user_property(clock_ahead_by, std::to_string(offset.ahead.count())),
                         as_user_property(clock_within, std::to_string(offset.within.count()))}};
}

std::optional<ClockWord> clock_word_of(const Message& message) {
  const auto ahead = user_property_of(message, clock_ahead_by);
  const auto within = user_property_of(message, clock_within);
  const auto ahead_by = ahead ? whole(*ahead) : std::nullopt;
  const auto within_what = within ? whole(*within) : std::nullopt;
  if (!ahead_by || !within_what) {
    return std::nullopt;
  }
  return ClockWord{user_property_of(message, stamp_publisher).value_or(""),
                   {std::chrono::nanoseconds(*ahead_by), std::chrono::nanoseconds(*within_what)}};
}

bool is_about_clocks(const Message& message) {
  return std::ranges::any_of(message.properties, [](const Property& property) {
    return property.identifier == property_id::user_property &&
           (property.name == clock_question_at || property.name == clock_answer_at || property.name == clock_ahead_by);
  });
}

}  // namespace sistem
