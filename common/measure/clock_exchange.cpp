#include "common/measure/clock_exchange.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "common/mqtt/property.hpp"
#include "common/mqtt/topic.hpp"

namespace sistem {
namespace {

constexpr std::uint8_t response_topic_identifier = 0x08;  // [MQTT5 3.3.2.3.5]

std::int64_t number_of(Stamp::Time time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

/// Half of what a difference of two of them can be, so that none overflows: a century and a half.
constexpr std::int64_t greatest = std::int64_t{1} << 62;

/// A whole number at the beginning of `text`, and the blank behind it, which are taken off.
std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number > greatest || number < -greatest) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  text.remove_prefix(text.starts_with(' ') ? 1 : 0);
  return number;
}

std::optional<std::int64_t> whole(std::string_view text) {
  const auto number = take_number(text);
  return text.empty() ? number : std::nullopt;
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
          .properties = {{response_topic_identifier, 0, response_topic},
                         named(clock_question_at, std::to_string(number_of(now)))}};
}

std::optional<Message> clock_answer(const Message& question, Stamp::Time now) {
  const auto asked = user_property_of(question, clock_question_at);
  const auto topic = text_in(question.properties, "response-topic");
  if (!asked || !whole(*asked) || !topic || fault_of_topic_name(*topic)) {
    return std::nullopt;
  }
  return Message{.topic = *topic,
                 .properties = {named(clock_answer_at,
                                      fmt::format("{} {} {}", *asked, number_of(question.arrival), number_of(now)))}};
}

std::optional<ClockOffset> offset_of(const Message& answer, Stamp::Time arrival) {
  const auto said = user_property_of(answer, clock_answer_at);
  if (!said) {
    return std::nullopt;
  }
  std::string_view text = *said;
  const auto asked = take_number(text);
  const auto heard = take_number(text);
  const auto answered = take_number(text);
  if (!answered || !text.empty() || *asked < 0 || *heard < 0 || *answered < 0) {
    return std::nullopt;
  }
  const std::int64_t there = *heard - *asked;
  const std::int64_t back = number_of(arrival) - *answered;
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
