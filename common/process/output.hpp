#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace sistem {

/// Whoever read our output has gone (EPIPE): no fault, but the end of the run.
class OutputClosed {};

/// How much a terminal shows.
struct TerminalSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};

/// Of the terminal that a descriptor is; nothing where it is none.
[[nodiscard]] std::optional<TerminalSize> terminal_size(int fd);

/// Bytes on their way to stdout: gathered while more is coming, written when flush() says that nothing is.
/// A reader that has stopped reading blocks us only until a stop is requested.
class Output {
 public:
  /// Writes to `fd`, which stays the caller's.
  Output(int fd, std::stop_token stop) : fd_(fd), stop_(std::move(stop)) {}

  /// Takes `bytes`; they are written now only if much has been gathered.
  /// Throws as flush() does.
  void write(std::string_view bytes);

  /// The same for bytes that are composed here: calls `append` with the string to add them to.
  template <std::invocable<std::string&> Append>
  void compose(Append append) {
    append(gathered_);
    if (gathered_.size() >= gather_at_most) {
      flush();
    }
  }

  /// Writes what was gathered. Throws OutputClosed where the reader has gone, and Error where the bytes cannot be
  /// written (a full disk) or a stop was requested while the reader would not take them.
  void flush();

  /// Whether something was lost that flush() could not write.
  [[nodiscard]] bool has_lost() const { return has_lost_; }

  /// True where the reader of our pipe has gone, which can be seen before there is anything to write.
  [[nodiscard]] bool closed() const;

  /// Where a terminal shows it: how large that is at this moment. Nothing where it is no terminal.
  [[nodiscard]] std::optional<TerminalSize> terminal() const { return terminal_size(fd_); }

 private:
  void wait_for_room(std::string_view left);

  static constexpr std::size_t gather_at_most = std::size_t{64} * 1024;

  int fd_;
  std::stop_token stop_;
  std::string gathered_;
  bool has_lost_ = false;
};

}  // namespace sistem
