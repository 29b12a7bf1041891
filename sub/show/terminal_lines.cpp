#include "sub/show/terminal_lines.hpp"

#include <algorithm>

#include "common/text/screen_text.hpp"
#include "common/text/wall_time.hpp"

namespace sistem {
namespace {

/// A topic that is wider pushes its own payload aside, and no others.
constexpr std::size_t widest_column = 40;

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

}  // namespace sistem
