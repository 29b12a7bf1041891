#include "common/measure/clock_exchange.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "common/mqtt/property.hpp"
#include "common/mqtt/topic.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

std::int64_t nanoseconds_of(Stamp::Time time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

/// Half of what a difference of two of them can be, so that none overflows: a century and a half.
constexpr std::int64_t greatest = std::int64_t{1} << 62;

std::optional<std::int64_t> whole(std::string_view text) {
  const auto number = number_of<std::int64_t>(text);
  return number && *number <= greatest && *number >= -greatest ? number : std::nullopt;
}

std::optional<std::string> user_property_of(const Message& message, std::string_view name) {
  for (const Property& property : message.properties) {
    if (property.identifier == user_property && property.name == name) {
      return property.text;
    }
  }
  return std::nullopt;
}

Property named(std::string_view name, std::string value) {
  return {user_property, 0, std::move(value), std::string(name)};
}

}  // namespace

Message clock_question(const std::string& topic, const std::string& response_topic, Stamp::Time now) {
  return {.topic = topic,
          .properties = {{property_id::response_topic, 0, response_topic},
                         named(clock_question_at, std::to_string(nanoseconds_of(now)))}};
}

std::optional<Message> clock_answer(const Message& question, Stamp::Time now) {
  const auto asked = user_property_of(question, clock_question_at);
  const auto topic = text_in(question.properties, "response-topic");
  if (!asked || !whole(*asked) || !topic || fault_of_topic_name(*topic)) {
    return std::nullopt;
  }
  return Message{.topic = *topic,
                 .properties = {named(clock_answer_at, fmt::format("{} {} {}", *asked, nanoseconds_of(question.arrival),
                                                                   nanoseconds_of(now)))}};
}

std::optional<ClockOffset> offset_of(const Message& answer, Stamp::Time arrival) {
  const auto said = user_property_of(answer, clock_answer_at);
  if (!said) {
    return std::nullopt;
  }
  const std::string_view text = *said;
  const std::size_t first = text.find(' ');
  const std::size_t second = first == std::string_view::npos ? first : text.find(' ', first + 1);
  if (second == std::string_view::npos) {
    return std::nullopt;
  }
  const auto asked = whole(text.substr(0, first));
  const auto heard = whole(text.substr(first + 1, second - first - 1));
  const auto answered = whole(text.substr(second + 1));
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
          .properties = {named(stamp_publisher, publisher), named(clock_ahead_by, std::to_string(offset.ahead.count())),
                         named(clock_within, std::to_string(offset.within.count()))}};
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
    return property.identifier == user_property &&
           (property.name == clock_question_at || property.name == clock_answer_at || property.name == clock_ahead_by);
  });
}

}  // namespace sistem
