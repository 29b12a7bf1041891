#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sub/show/colour.hpp"

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

}  // namespace sistem
