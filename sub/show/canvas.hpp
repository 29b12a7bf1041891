#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "common/process/output.hpp"

namespace sistem {

/// A picture on a terminal that is drawn again and again in its place. Gives the bytes that do it.
///
/// Between two drawings the cursor, hidden, stands in an empty line above the picture. So what somebody else writes to
/// the terminal meanwhile (a note on stderr, a key that is echoed) is seen there, and moves the picture down instead of
/// through; and wherever a resized terminal puts the lines of the old picture, they are below the cursor and erased.
class Canvas {
 public:
  /// Draws the lines over what was drawn before, as many and as much of each as there is room for.
  [[nodiscard]] std::string draw(const std::vector<std::string>& lines, TerminalSize size);

  /// Leaves the picture where it is, with the cursor, which is seen again, below it. Nothing where none was drawn since
  /// the last call.
  [[nodiscard]] std::string leave();

 private:
  bool is_drawn_ = false;
  std::size_t height_ = 0;  ///< of the picture with the line above it
};

}  // namespace sistem
