#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/measure/report.hpp"
#include "sub/verify/verifier.hpp"

namespace sistem {

/// What a run may cost at the most; nothing: as much as it likes.
struct Budgets {
  std::optional<std::uint64_t> max_loss;     ///< messages, the corrupted ones among them
  std::optional<std::uint64_t> max_dup;      ///< messages
  std::optional<std::uint64_t> max_reorder;  ///< messages
  std::optional<std::chrono::nanoseconds> max_p99;
  std::optional<double> min_rate;  ///< messages a second

  [[nodiscard]] bool any() const { return max_loss || max_dup || max_reorder || max_p99 || min_rate; }
};

/// What the stamps of messages must show, and how it is reported.
struct VerifyConfig {
  std::size_t publishers = 1;              ///< so many end the run when they have ended
  bool subtract_offset = false;            ///< of the publisher's clock, from latencies
  Budgets budgets;                         ///< of --verify
  std::optional<ReportFormat> report;      ///< how --verify reports; nothing: as text
  std::optional<std::string> report_file;  ///< gets the report behind what it holds; else stdout does
};

/// What sub itself knows of a run beside its messages.
struct Circumstances {
  std::uint64_t dropped = 0;         ///< because the reader of stdout was slow
  std::uint64_t greatest_queue = 0;  ///< messages that had arrived and were not taken yet
  double busy = 0;                   ///< the part of a processor that sub has used, in the second of which it was most
};

/// The sums over all runs of all publishers.
struct Totals {
  std::uint64_t received = 0;  ///< each once
  std::uint64_t sent = 0;      ///< as far as is known: the highest number, or what was announced
  std::uint64_t lost = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  std::uint64_t furthest = 0;
  std::uint64_t corrupted = 0;
  std::uint64_t bytes = 0;
  Latencies latencies;
  std::chrono::duration<double> time{0};  ///< from the first arrival to the last

  explicit Totals(const Verifier& verifier);

  /// Messages a second; nothing for fewer than two.
  [[nodiscard]] std::optional<double> rate() const;
};

/// A sentence for each budget that was not kept, with by how much: "lost 3, at most 0 were allowed".
[[nodiscard]] std::vector<std::string> broken(const Budgets& budgets, const Totals& totals);

/// The report as --verify prints it, with a newline at its end; `with_heading`: CSV begins with the names of its
/// columns.
[[nodiscard]] std::string text_of(const Verifier& verifier, const Budgets& budgets, const Circumstances& circumstances,
                                  ReportFormat format, bool with_heading = true);

/// What there is to say while it runs, in a line.
[[nodiscard]] std::string words_so_far(const Verifier& verifier);

}  // namespace sistem
