#include "sub/recording.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/mqtt/record.hpp"
#include "common/process/error.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

constexpr std::size_t gather_at_most = std::size_t{64} * 1024;
constexpr mode_t for_all_to_read = 0644;

/// Whether the file ends in the midst of a line, as the one of a recorder that was killed.
bool ends_in_a_line(const std::string& path) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
  const off_t end = ::lseek(file.get(), 0, SEEK_END);
  char last = '\n';
  return end > 0 && ::pread(file.get(), &last, 1, end - 1) == 1 && last != '\n';
}

}  // namespace

Recording::Recording(const std::string& path, Begin begin)
    : path_(path),
      file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | (begin == Begin::anew ? O_TRUNC : O_APPEND),
                   for_all_to_read)) {
  if (file_.get() < 0) {
    throw Error(fmt::format("cannot record to {}: {}", path, std::strerror(errno)));
  }
  if (begin == Begin::behind && ends_in_a_line(path)) {
    (void)!::write(file_.get(), "\n", 1);  // if it fails, so does the first message
  }
}

Recording::~Recording() {
  try {
    flush();
  } catch (...) {  // NOLINT(bugprone-empty-catch): whatever has ended the run is told by somebody else
  }
}

void Recording::keep(const Message& message) {
  append_record(message, gathered_);
  gathered_ += '\n';
  if (gathered_.size() >= gather_at_most) {
    flush();
  }
}

void Recording::flush() {
  const std::size_t written = write_whole(file_.get(), gathered_);
  const int reason = errno;
  const bool is_all = written == gathered_.size();
  gathered_.resize(written);
  kept_ += static_cast<std::size_t>(std::count(gathered_.begin(), gathered_.end(), '\n'));
  const std::size_t half = written - (gathered_.rfind('\n') + 1);
  gathered_.clear();
  if (is_all) {
    return;
  }
  has_failed_ = true;
  const off_t end = ::lseek(file_.get(), 0, SEEK_CUR);  // none of a pipe or a device
  if (half > 0 && end >= static_cast<off_t>(half)) {
    (void)!::ftruncate(file_.get(), end - static_cast<off_t>(half));
  }
  throw Error(fmt::format("cannot record to {}: {}; it holds {} of this run", path_, std::strerror(reason),
                          counted(kept_, "message")));
}

}  // namespace sistem
