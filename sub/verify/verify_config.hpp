#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "common/measure/report.hpp"
#include "sub/verify/verdict.hpp"

namespace sistem {

/// What the stamps of messages must show, and how it is reported.
struct VerifyConfig {
  std::size_t publishers = 1;              ///< so many end the run when they have ended
  bool subtract_offset = false;            ///< of the publisher's clock, from latencies
  Budgets budgets;                         ///< of --verify
  std::optional<ReportFormat> report;      ///< how --verify reports; nothing: as text
  std::optional<std::string> report_file;  ///< gets the report behind what it holds; else stdout does
};

}  // namespace sistem
