#include "tests/bench/lines.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "tests/bench/clock.hpp"

namespace sistem::bench {
namespace {

void write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (written < 0) {
      throw std::system_error(errno, std::generic_category(), "cannot write");
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void sleep_until(std::int64_t time) {
  const timespec until{static_cast<time_t>(time / 1'000'000'000), static_cast<long>(time % 1'000'000'000)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
  }
}

/// The value below or at which a share of all lies.
double quantile(const std::vector<std::int64_t>& sorted, double share) {
  const auto at = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return static_cast<double>(sorted[std::max<std::size_t>(at, 1) - 1]) / 1e6;
}

}  // namespace

void write_lines(std::int64_t count, int size) {
  constexpr std::size_t piece = std::size_t{64} * 1024;
  std::string bytes;
  for (std::int64_t number = 1; number <= count; ++number) {
    std::string line = std::to_string(number);
    line.resize(static_cast<std::size_t>(size), '.');
    bytes += line;
    bytes += '\n';
    if (bytes.size() >= piece) {
      write_all(bytes);
      bytes.clear();
    }
  }
  write_all(bytes);
}

void feed(double rate, double seconds) {
  const auto count = static_cast<std::int64_t>(std::llround(rate * seconds));
  const std::int64_t began = monotonic_ns();
  for (std::int64_t number = 0; number < count; ++number) {
    sleep_until(began + static_cast<std::int64_t>(static_cast<double>(number) * 1e9 / rate));
    write_all(fmt::format("{}\n", monotonic_ns()));
  }
}

void collect(std::int64_t count, std::int64_t skip, double patience) {
  std::vector<std::int64_t> ages;
  std::string rest;
  std::array<char, std::size_t{64} * 1024> bytes;
  pollfd input{STDIN_FILENO, POLLIN, 0};
  while (static_cast<std::int64_t>(ages.size()) < count && poll(&input, 1, static_cast<int>(patience * 1000)) > 0) {
    const ssize_t got = read(STDIN_FILENO, bytes.data(), bytes.size());
    const std::int64_t now = monotonic_ns();
    if (got <= 0) {
      break;
    }
    rest.append(bytes.data(), static_cast<std::size_t>(got));
    std::size_t from = 0;
    for (std::size_t end = rest.find('\n'); end != std::string::npos; end = rest.find('\n', from)) {
      std::int64_t written = 0;
      if (std::from_chars(rest.data() + from, rest.data() + end, written).ptr != rest.data() + end) {
        throw std::runtime_error("a line that has no time");
      }
      ages.push_back(now - written);
      from = end + 1;
    }
    rest.erase(0, from);
  }
  const auto came = static_cast<std::int64_t>(ages.size());
  ages.erase(ages.begin(), ages.begin() + std::min(skip, came));
  std::sort(ages.begin(), ages.end());
  if (ages.empty()) {
    fmt::print("{{\"count\":{}}}\n", came);
    return;
  }
  fmt::print("{{\"count\":{},\"p50_ms\":{:.4f},\"p90_ms\":{:.4f},\"p99_ms\":{:.4f},\"max_ms\":{:.4f}}}\n", came,
             quantile(ages, 0.5), quantile(ages, 0.9), quantile(ages, 0.99), quantile(ages, 1));
}

}  // namespace sistem::bench
