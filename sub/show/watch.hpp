#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/mqtt/message.hpp"
#include "common/process/output.hpp"
#include "common/text/wall_time.hpp"
#include "sub/show/terminal.hpp"

namespace sistem {

/// How many messages a second there have been lately: over the last ten whole seconds, or as many as there are.
class RecentRate {
 public:
  void count(WallTime time);
  /// 0 where nobody can say yet.
  [[nodiscard]] double per_second(WallTime now) const;

 private:
  static constexpr std::int64_t window = 10;  // s
  std::array<std::uint64_t, window + 1> counts_{};
  std::int64_t first_ = 0;  ///< the second of the first message; 0: there was none
  std::int64_t last_ = 0;   ///< that of the last
};

/// --watch: one line for each topic, with its last value, that value's age, and how many messages there were and come.
/// Remembers so many topics, and forgets the one that has been silent longest.
class Watch {
 public:
  static constexpr std::size_t most_topics = 10'000;

  /// `value`: what is shown of the message.
  void take(const Message& message, std::string value);

  /// The table for a terminal: topics in order, and where there are more than rows, those that changed last.
  [[nodiscard]] std::vector<std::string> frame(TerminalSize size, const Paint& paint, WallTime now) const;

  /// The lines for everybody else: a line for each topic that had a message since the last call.
  [[nodiscard]] std::string changes(const Paint& paint, WallTime now);

 private:
  struct Row {
    std::string value;
    WallTime last;
    std::uint64_t count = 0;
    RecentRate rate;
    bool retained = false;
    bool changed = false;  ///< since changes() was asked for
  };
  using Rows = std::map<std::string, Row>;

  [[nodiscard]] std::vector<const Rows::value_type*> latest(std::size_t count) const;
  void forget_the_oldest();

  Rows rows_;
  std::uint64_t messages_ = 0;
  std::uint64_t forgotten_ = 0;
};

}  // namespace sistem
