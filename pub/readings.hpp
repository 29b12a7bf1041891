#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace sistem {

/// One thing that the host measures of itself.
struct Reading {
  std::string name;  ///< the topic's last level: "cpu", published on sistem/cpu
  std::string text;  ///< for people, UTF-8: "12.5 %"
};

/// Reads cpu, memori, beban (load), disk, jaringan (network), uptime and suhu (temperature) from /proc, /sys and
/// statvfs(3). What the host does not have is left out; so are cpu and jaringan the first time, because they are
/// differences between two measurements.
class Readings {
 public:
  using Clock = std::chrono::steady_clock;

  /// `root` stands for `/`, so that a test can bring a host of its own.
  explicit Readings(std::filesystem::path root = "/") : root_(std::move(root)) {}

  /// All readings of this moment.
  [[nodiscard]] std::vector<Reading> measure(Clock::time_point now);

 private:
  struct CpuTime {
    std::uint64_t busy = 0;
    std::uint64_t all = 0;
  };
  struct Traffic {
    std::uint64_t in = 0;
    std::uint64_t out = 0;
    Clock::time_point at;
  };

  [[nodiscard]] std::optional<std::string> cpu();
  [[nodiscard]] std::optional<std::string> memory() const;
  [[nodiscard]] std::optional<std::string> load() const;
  [[nodiscard]] std::optional<std::string> disk() const;
  [[nodiscard]] std::optional<std::string> network(Clock::time_point now);
  [[nodiscard]] std::optional<std::string> uptime() const;
  [[nodiscard]] std::optional<std::string> temperature() const;

  std::filesystem::path root_;
  std::optional<CpuTime> cpu_before_;
  std::optional<Traffic> traffic_before_;
};

}  // namespace sistem
