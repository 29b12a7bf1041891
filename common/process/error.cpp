#include "common/process/error.hpp"

#include <unistd.h>

#include <cctype>
#include <cstring>
#include <new>

namespace sistem {
namespace {

/// Made before it is needed. Never destroyed: threads may outlive main().
std::string& last_line() {
  static auto* const line = new std::string{"there is not enough memory\n"};
  return *line;
}

}  // namespace

std::string errno_words(int error) {
  std::string text = std::strerror(error);
  text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

void end_where_memory_is_short(const std::string& tool) {
  last_line() = tool + ": there is not enough memory\n";
  std::set_new_handler(memory_is_short);
}

void memory_is_short() {
  (void)!::write(STDERR_FILENO, last_line().data(), last_line().size());
  ::_exit(static_cast<int>(ExitStatus::failure));
}

}  // namespace sistem
