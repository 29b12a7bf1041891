#include "pub/progress.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <deque>

#include "common/process/output.hpp"
#include "common/process/stop.hpp"

namespace sistem {
namespace {

using namespace std::chrono_literals;
using Seconds = std::chrono::duration<double>;

/// A run that is over so soon has nobody who waits for it.
constexpr auto first_shown = 1s;
constexpr auto refreshed = 200ms;
/// The rate is that of the last second.
constexpr std::size_t samples_of_the_rate = 1s / refreshed;

/// The part of the run that is over, where its end is known: the end that is nearest.
std::optional<double> part_of(const Stage& stage) {
  std::optional<double> part = stage.of_input;
  const auto nearer = [&](double other) { part = std::max(part.value_or(0), other); };
  if (stage.of_messages) {
    nearer(static_cast<double>(stage.sent) / static_cast<double>(*stage.of_messages));
  }
  if (stage.of_time) {
    nearer(stage.time / *stage.of_time);
  }
  return part ? std::optional(std::clamp(*part, 0.0, 1.0)) : std::nullopt;
}

/// How much of stdin was read, where it is a file.
std::optional<double> part_of_stdin() {
  struct stat status {};
  if (::fstat(STDIN_FILENO, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size <= 0) {
    return std::nullopt;
  }
  const auto read = ::lseek(STDIN_FILENO, 0, SEEK_CUR);
  return read < 0 ? std::nullopt : std::optional(static_cast<double>(read) / static_cast<double>(status.st_size));
}

}  // namespace

std::string progress_line(const Stage& stage, std::size_t columns) {
  const std::string of = stage.of_messages ? fmt::format(" of {}", *stage.of_messages) : "";
  std::string words = fmt::format("{}{} messages, {:.1f}/s, {:.0f} s", stage.sent, of, stage.rate, stage.time.count());
  if (const auto part = part_of(stage)) {
    constexpr std::size_t around = 9;  // "[] 100 % " and what keeps the cursor off the last column
    constexpr std::size_t widest = 30;
    const std::size_t room = columns - std::min(columns, words.size() + around);
    const std::size_t width = std::min(room, widest);
    const auto full = static_cast<std::size_t>(*part * static_cast<double>(width));
    words =
        fmt::format("[{}{}] {:3.0f} % {}", std::string(full, '#'), std::string(width - full, '.'), *part * 100, words);
  }
  return words.substr(0, columns - std::min<std::size_t>(columns, 1));
}

bool Progress::is_wanted(const PubConfig& config) {
  const bool prints = config.verbose || config.publishes_readings();
  return !config.connection.quiet && !config.connection.debug && config.client_number == 0 &&
         ::isatty(STDERR_FILENO) != 0 && !(prints && ::isatty(STDOUT_FILENO) != 0);
}

Progress::Progress(const PubConfig& config, const Console& console, const std::atomic<std::uint64_t>& sent)
    : config_(config), console_(console), sent_(sent), thread_([this](const std::stop_token& stop) { show(stop); }) {}

Progress::~Progress() {
  thread_ = {};  // ends
  console_.status("");
}

void Progress::show(const std::stop_token& stop) {
  struct Sample {
    std::chrono::steady_clock::time_point at;
    std::uint64_t sent;
  };
  const auto start = std::chrono::steady_clock::now();
  std::deque<Sample> samples{{start, 0}};
  for (auto next = start + first_shown; sleep_until(next, stop); next += refreshed) {
    const Sample sample{std::chrono::steady_clock::now(), sent_};
    const Sample& before = samples.front();
    Stage stage{.sent = sample.sent,
                .time = sample.at - start,
                .rate = static_cast<double>(sample.sent - before.sent) / Seconds(sample.at - before.at).count()};
    if (const auto count = config_.count(); count && !config_.is_stream()) {
      stage.of_messages = *count * config_.clients;
    }
    if (config_.pace.duration && !config_.pace.speed.at_most) {
      stage.of_time = Seconds(*config_.pace.duration) / config_.pace.speed.factor;
    }
    if (config_.is_stream() && !config_.replay) {
      stage.of_input = part_of_stdin();
    }
    console_.status(progress_line(stage, terminal_size(STDERR_FILENO).value_or(TerminalSize{}).columns));
    samples.push_back(sample);
    if (samples.size() > samples_of_the_rate) {
      samples.pop_front();
    }
  }
}

}  // namespace sistem
