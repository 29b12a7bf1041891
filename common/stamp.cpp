#include "common/stamp.hpp"

#include <charconv>

namespace sistem {
namespace {

constexpr std::uint8_t user_property = 0x26;

template <typename Number>
std::optional<Number> number_of(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

}  // namespace

std::optional<Stamp> stamp_of(const Message& message) {
  Stamp stamp;
  std::optional<std::uint64_t> sequence;
  std::optional<std::int64_t> sent;
  for (const Property& property : message.properties) {
    if (property.identifier != user_property) {
      continue;
    }
    if (property.name == stamp_publisher) {
      stamp.publisher = property.text;
    } else if (property.name == stamp_seq) {
      sequence = number_of<std::uint64_t>(property.text);
    } else if (property.name == stamp_time) {
      sent = number_of<std::int64_t>(property.text);
    }
  }
  if (!sequence || !sent || *sent < 0) {
    return std::nullopt;
  }
  stamp.sequence = *sequence;
  stamp.sent = std::chrono::system_clock::time_point{std::chrono::nanoseconds{*sent}};
  return stamp;
}

}  // namespace sistem
