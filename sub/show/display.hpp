#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "common/mqtt/message.hpp"
#include "common/process/console.hpp"
#include "common/process/output.hpp"
#include "common/process/stop.hpp"
#include "sub/show/format.hpp"
#include "sub/show/graph.hpp"
#include "sub/show/lines.hpp"
#include "sub/show/terminal.hpp"
#include "sub/show/watch.hpp"

namespace sistem {

/// When what is printed has colours.
enum class ColourWhen : std::uint8_t { automatic, always, not_at_all };

/// How messages are shown.
struct DisplayConfig {
  bool verbose = false;                       ///< print the topic before each payload
  std::optional<std::string> format;          ///< -F
  bool json = false;                          ///< as common/mqtt/record.hpp has it
  bool hex = false;                           ///< as a dump
  bool csv = false;                           ///< as a table
  bool pretty = false;                        ///< %j and %J over several lines
  bool no_newline = false;                    ///< -N
  bool null = false;                          ///< NUL behind each message instead of a newline
  bool drop_in = false;                       ///< called by mosquitto_sub's name
  bool topics = false;                        ///< print only the topic of each
  ColourWhen colour = ColourWhen::automatic;  ///< always: and the layout for a terminal, wherever it goes
  Palette palette = Palette::none;            ///< what the environment says that a terminal has
  bool dumb_terminal = false;                 ///< it says that on a terminal nothing can be drawn
  bool watch = false;                         ///< show each topic's last message
  bool message_rate = false;                  ///< show how many messages come
  std::optional<std::string> graph;           ///< show the numbers of this field
};

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
  /// Appends it in its form; nothing where it has none, which it says then.
  std::optional<std::string_view> append(const Message& message, std::string& bytes);
  void update(std::size_t waiting, bool at_the_end);

  const DisplayConfig& config_;
  Output& output_;
  const Console& console_;
  const Paint paint_;
  Format format_;
  Position position_;                                   ///< of the next message
  std::chrono::steady_clock::time_point last_arrival_;  ///< of the one before it
  std::variant<std::monostate, TerminalLines, Watch, MessageRate, Graph> view_;
  Canvas canvas_;
  bool is_over_ = false;
  Deadline due_ = never;
};

}  // namespace sistem
