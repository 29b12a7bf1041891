#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "common/mqtt/message.hpp"

namespace sistem {

/// A descriptor that is read block by block.
class Input {
 public:
  Input(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}

  /// What a complaint calls it.
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] int descriptor() const { return fd_; }

  /// Waits for what comes next, which the following call overwrites; empty at the end. Nothing where a stop was
  /// requested. Throws Error where it cannot be read.
  std::optional<std::string_view> next(const std::stop_token& stop);

 private:
  int fd_;
  std::string name_;
  std::array<char, std::size_t{64} * 1024> block_{};
};

/// One of the pieces that an input is cut into.
struct Line {
  std::string bytes;   ///< without what ends it
  std::size_t number;  ///< from 1
  bool is_too_long;    ///< there were more bytes than the limit, and they are gone
};

/// Cuts an input where a delimiter stands, a newline as a rule. Lines are whole, of any length up to the limit and of
/// any bytes; the last one needs no delimiter.
class LineReader {
 public:
  LineReader(int fd, std::string name, std::string delimiter, std::size_t limit)
      : input_(fd, std::move(name)), delimiter_(std::move(delimiter)), limit_(limit) {}

  [[nodiscard]] const std::string& name() const { return input_.name(); }
  [[nodiscard]] std::size_t limit() const { return limit_; }

  /// The lines that one read completes, at least one; none at the end, or where a stop was requested. Throws Error as
  /// Input::next() does.
  [[nodiscard]] std::vector<Line> next(const std::stop_token& stop);

  /// Begins again with the first line, where the input can: false where it cannot, as a pipe.
  [[nodiscard]] bool rewind();

 private:
  void cut(std::vector<Line>& lines);
  void finish(std::string bytes, std::vector<Line>& lines);

  Input input_;
  std::string delimiter_;
  std::size_t limit_;
  std::string pending_;       ///< what has come of the line that has not ended yet
  std::size_t searched_ = 0;  ///< so much of it has no delimiter
  bool is_too_long_ = false;  ///< and its beginning is gone
  std::size_t number_ = 0;
  bool ended_ = false;
};

/// Opens a file for reading, a FIFO without waiting for its writer. Throws Error.
[[nodiscard]] int open_input(const std::string& path);

/// All that `fd` gives until its end, whatever it is: a file, a pipe, a terminal. Throws Error where it cannot be read
/// or a stop was requested before its end, and UsageError where it is more than `limit` bytes.
[[nodiscard]] std::string read_whole(int fd, const std::string& name, std::size_t limit, const std::stop_token& stop);

/// The largest remaining length, four bytes of seven bits [MQTT-2.2.3].
inline constexpr std::size_t largest_packet = 268'435'455;

/// How many bytes of payload a PUBLISH like `pattern` can take, whose remaining length is `packet` at most. A few bytes
/// on the safe side, the same for every version of MQTT.
[[nodiscard]] std::size_t payload_limit(const Message& pattern, std::size_t packet = largest_packet);

}  // namespace sistem
