#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "common/mqtt/message.hpp"
#include "common/process/console.hpp"
#include "common/process/output.hpp"
#include "common/process/stop.hpp"
#include "sub/show/canvas.hpp"
#include "sub/show/colour.hpp"
#include "sub/show/display_config.hpp"
#include "sub/show/format.hpp"
#include "sub/show/graph.hpp"
#include "sub/show/message_rate.hpp"
#include "sub/show/terminal_lines.hpp"
#include "sub/show/watch.hpp"

namespace sistem {

/// How what was received is shown: message by message, or as a view of all of them (--watch, --message-rate, --graph),
/// which on a terminal is a picture that is drawn again a few times a second. Leaves the terminal as it was, also where
/// it goes out of scope by an exception.
class Display {
 public:
  /// Throws Expected for a format that is wrong.
  Display(const DisplayConfig& config, Output& output, const Console& console);
  Display(const Display&) = delete;
  Display& operator=(const Display&) = delete;
  ~Display();

  /// What comes before all messages: the heading of a table.
  void begin();

  /// Shows a message, or takes it into account. Throws as Output does.
  void show(const Message& message);

  /// When refresh() is to be called next.
  [[nodiscard]] Deadline due() const { return due_; }

  /// Draws or prints the view where that is due. `waiting`: so many messages have come and were not taken yet.
  void refresh(std::size_t waiting);

  /// Shows what there is to show at the end, and gives the terminal back. Messages may still come; then to be called
  /// once more.
  void finish(std::size_t waiting);

 private:
  [[nodiscard]] bool draws() const { return screen().has_value(); }
  [[nodiscard]] std::optional<TerminalSize> screen() const;
  void print(const Message& message);
  /// Appends it in its form; nothing where it has none, which it says then.
  std::optional<std::string_view> append(const Message& message, std::string& bytes);
  void update(std::size_t waiting, bool at_the_end);

  const DisplayConfig& config_;
  Output& output_;
  const Console& console_;
  const Paint paint_;
  const Format format_;
  Position position_;                                   ///< of the next message
  std::chrono::steady_clock::time_point last_arrival_;  ///< of the one before it
  std::variant<std::monostate, TerminalLines, Watch, MessageRate, Graph> view_;
  Canvas canvas_;
  bool is_over_ = false;
  Deadline due_ = never;
};

}  // namespace sistem
