#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "common/process/console.hpp"
#include "pub/pub_config.hpp"

namespace sistem {

/// How far a run has come, and how far it goes, where that is known.
struct Stage {
  std::uint64_t sent = 0;
  std::chrono::duration<double> time{0};  ///< since the run began
  double rate = 0;                        ///< messages a second, at present
  std::optional<std::uint64_t> of_messages;
  std::optional<std::chrono::duration<double>> of_time;
  std::optional<double> of_input;  ///< the part of a file that was read, from 0 to 1
};

/// The line that a person sees of it: with a bar where the run has an end, else with the rate alone. Fits into so many
/// columns.
[[nodiscard]] std::string progress_line(const Stage& stage, std::size_t columns);

/// Shows on a terminal how far the run has come, from its second second on, five times a second, until it goes out of
/// scope.
class Progress {
 public:
  /// Whether anybody wants to see it: stderr is a terminal, nothing else is printed there, and nobody wants quiet.
  [[nodiscard]] static bool is_wanted(const PubConfig& config);

  /// `sent` tells how many messages were sent, by all clients.
  Progress(const PubConfig& config, const Console& console, const std::atomic<std::uint64_t>& sent);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

 private:
  void show(const std::stop_token& stop);

  const PubConfig& config_;
  const Console& console_;
  const std::atomic<std::uint64_t>& sent_;
  std::jthread thread_;
};

}  // namespace sistem
