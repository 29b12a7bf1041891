#include "sub/show/lines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "common/text/screen_text.hpp"

namespace sistem {
namespace {

/// A topic that is wider pushes its own payload aside, and no others.
constexpr std::size_t widest_column = 40;

std::string bytes_text(std::uint64_t bytes) {
  if (bytes < 1000) {
    return fmt::format("{} B", bytes);
  }
  double number = static_cast<double>(bytes) / 1000;
  std::string_view prefixes = "kMGT";
  for (; number >= 1000 && prefixes.size() > 1; prefixes.remove_prefix(1)) {
    number /= 1000;
  }
  return fmt::format("{:.1f} {}B", number, prefixes.front());
}

}  // namespace

void TerminalLines::append(const Message& message, std::string& out) {
  const std::string topic = shown(message.topic);
  const std::size_t columns = columns_of(topic);
  topic_columns_ = std::max(topic_columns_, std::min(columns, widest_column));
  out += paint_.dim(time_of_day(message.arrival, 3));
  out += "  ";
  out += paint_.topic(message.topic, topic);
  out.append(topic_columns_ - std::min(topic_columns_, columns), ' ');
  out += "  ";
  if (message.retain) {
    out += paint_.dim("[retained]");
    out += ' ';
  }
  out += message.payload.empty() ? paint_.dim("(empty)") : shown(message.payload);
  out += '\n';
}

void MessageRate::take(const Message& message) {
  ++messages_;
  ++recent_;
  bytes_ += message.payload.size();
}

std::string MessageRate::line(WallTime now, std::size_t waiting) {
  const double seconds = std::chrono::duration<double>(now - std::exchange(last_, now)).count();
  const double rate = seconds > 0 ? static_cast<double>(std::exchange(recent_, 0)) / seconds : 0;
  return fmt::format("{}  {:>9} messages  {:>8}  {:>9.1f}/s  {:>4} waiting\n", time_of_day(now), messages_,
                     bytes_text(bytes_), rate, waiting);
}

std::string MessageRate::bare_line(WallTime now) {
  last_ = now;
  return fmt::format("{}\n", std::exchange(recent_, 0));
}

}  // namespace sistem
