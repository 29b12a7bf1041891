#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/mqtt/message.hpp"
#include "common/process/output.hpp"
#include "common/text/wall_time.hpp"
#include "sub/match/json_text.hpp"
#include "sub/show/terminal.hpp"

namespace sistem {

/// Where in a payload a number stands: all of it is one ("payload" or "."), perhaps with a unit behind it, or a field
/// of the JSON that it is ("temperature", "sensors.0.value").
class NumberField {
 public:
  /// Throws Expected for a path with nothing between two points.
  explicit NumberField(std::string_view path);

  /// Nothing where no number stands there. true and false are 1 and 0.
  [[nodiscard]] std::optional<double> of(std::string_view payload) const;

  /// As it was given.
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::optional<JsonPath> field_;  ///< nothing: the payload itself
};

/// --graph: the numbers of a field, a line in a chart for each topic. Time goes to the right, and as far back as fits:
/// a character is a second, or longer where numbers come less often.
class Graph {
 public:
  explicit Graph(NumberField field) : field_(std::move(field)) {}

  /// The number in the message, which is in the chart from now on; nothing where there is none.
  std::optional<double> take(const Message& message);

  /// The chart for a terminal. Its points are made of Braille's dots, two by four a character; without colours a line
  /// is told by a letter.
  [[nodiscard]] std::vector<std::string> frame(TerminalSize size, const Paint& paint, WallTime now) const;

  /// A number's line for everybody else.
  [[nodiscard]] static std::string line(const Message& message, double number, const Paint& paint);

 private:
  /// The numbers of half a second.
  struct Bucket {
    std::int64_t when;  ///< in half seconds
    double first;
    double last;
    double least;
    double most;
  };
  struct Series {
    std::string topic;
    std::deque<Bucket> buckets;
    double last = 0;
  };
  class Plot;

  [[nodiscard]] std::int64_t half_seconds_per_dot() const;
  [[nodiscard]] std::vector<std::string> legend(const Paint& paint) const;

  NumberField field_;
  std::vector<Series> series_;
  std::set<std::string> undrawn_;  ///< topics for which there is no colour left
  std::uint64_t without_number_ = 0;
};

}  // namespace sistem
