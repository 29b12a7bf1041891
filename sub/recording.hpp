#pragma once

#include <cstddef>
#include <string>

#include "common/mqtt/message.hpp"
#include "common/process/descriptor.hpp"

namespace sistem {

/// A file that keeps messages, each as a line of JSON (common/mqtt/record.hpp): gathered while more is coming, written
/// when flush() says that nothing is.
class Recording {
 public:
  enum class Begin { anew, behind };

  /// Opens the file, and empties it where it is to begin anew; behind half a line a new one begins. Throws Error where
  /// it cannot be written.
  Recording(const std::string& path, Begin begin);
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  ~Recording();

  /// Takes a message; it is written now only if much has been gathered. Throws as flush() does.
  void keep(const Message& message);

  /// Writes what was gathered. Throws Error where that cannot be done (a full disk), which says how many messages are
  /// in the file; half a line is taken back out of it.
  void flush();

  /// Whether flush() has failed: messages are missing.
  [[nodiscard]] bool has_failed() const { return has_failed_; }

 private:
  std::string path_;
  Descriptor file_;
  std::string gathered_;
  bool has_failed_ = false;
  std::size_t kept_ = 0;  ///< messages that were written
};

}  // namespace sistem
