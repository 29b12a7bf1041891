#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/measure/deliveries.hpp"
#include "pub/pace/pacer.hpp"
#include "pub/pub_config.hpp"

namespace sistem {

/// How a run went, of one client or of several together.
struct Report {
  unsigned clients = 1;
  std::uint64_t not_sent = 0;  ///< that a stop, a fault or the end of the time has left of what was to be sent
  bool input_left = false;     ///< the input was not read to its end: nobody knows how many more there would be
  std::chrono::duration<double> time{0};
  std::optional<double> rate_asked;  ///< messages a second; nothing if there was no pace
  /// The same: with a pace while that lasted, else what was acknowledged in all the time. Nothing if there was but one.
  std::optional<double> rate_achieved;
  Deliveries::Sums deliveries;  ///< of all that was sent, also what --status publishes by itself
  Punctuality punctuality;

  [[nodiscard]] std::uint64_t refused() const;
  [[nodiscard]] std::uint64_t unacknowledged() const { return deliveries.taken - deliveries.acknowledged - refused(); }

  /// What most of the time went to by which the pace was missed: "broker", "stdin", "pub"; nothing: it was kept.
  [[nodiscard]] std::optional<std::string_view> limit() const;
  [[nodiscard]] std::chrono::duration<double> behind() const;

  /// Of a run without a pace.
  void take_rate_from_time();

  /// Adds what another client reports of the same time.
  void merge(const Report& other);
};

/// The report as --report prints it, with a newline at its end.
[[nodiscard]] std::string text_of(const Report& report, ReportFormat format);

/// The report as one line, for another process to merge; and back: nothing for what is no such line.
[[nodiscard]] std::string packed(const Report& report);
[[nodiscard]] std::optional<Report> unpacked(std::string_view line);

}  // namespace sistem
