#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pub/source/source.hpp"

namespace sistem {

/// A number that a reading consists of.
struct Quantity {
  std::string name;    ///< "value" where there is but one
  std::string number;  ///< as it is shown: "12.5"
};

/// One thing that the host measures of itself.
struct Reading {
  std::string name;  ///< the topic's last level: "cpu", published on sistem/cpu
  std::vector<Quantity> quantities;
  std::string unit;  ///< of all of them; empty where they have none

  /// For people, UTF-8: "12.5 %", "0.52 0.58 0.59", "1000 B/s in, 50 B/s out".
  [[nodiscard]] std::string text() const;
  /// The numbers alone, separated by blanks.
  [[nodiscard]] std::string numbers() const;
};

/// The names of all that there are, in order.
[[nodiscard]] const std::vector<std::string>& reading_names();

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
  /// A reading whose name is known; nothing: the host does not tell.
  using Measured = std::optional<Reading>;
  struct Traffic {
    std::uint64_t in = 0;
    std::uint64_t out = 0;
    Clock::time_point at;
  };

  [[nodiscard]] Measured cpu();
  [[nodiscard]] Measured memory() const;
  [[nodiscard]] Measured load() const;
  [[nodiscard]] Measured disk() const;
  [[nodiscard]] Measured network(Clock::time_point now);
  [[nodiscard]] Measured uptime() const;
  [[nodiscard]] Measured temperature() const;

  std::filesystem::path root_;
  std::optional<CpuTime> cpu_before_;
  std::optional<Traffic> traffic_before_;
};

/// The host's readings, those that are asked for, each on PREFIX/NAME as a message like `pattern`, without end. Throws
/// Error where the host tells none of them in a few attempts, `between` which it waits.
[[nodiscard]] Source readings_of(Readings readings, const SourceConfig& config, Message pattern,
                                 std::chrono::milliseconds between = std::chrono::milliseconds{100});

/// A reading as JSON: {"value":12.5,"unit":"%","time":"2026-11-25T09:30:00.123Z"}.
[[nodiscard]] std::string json_of(const Reading& reading, std::chrono::system_clock::time_point time);

}  // namespace sistem
