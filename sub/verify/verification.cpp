#include "sub/verify/verification.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <utility>

namespace sistem {
namespace {

constexpr std::chrono::seconds interval{1};

/// The time that this process has used of a processor.
std::chrono::nanoseconds processor_time() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

void complain_unless(bool is_good, const std::string& file) {
  if (!is_good) {
    throw Error(fmt::format("cannot write {}: {}", file, errno_words(errno)));
  }
}

}  // namespace

bool is_aside(const Message& message) { return is_about_clocks(message) || stamp_end_of(message).has_value(); }

Verification::Verification(const VerifyConfig& config, const Console& console)
    : config_(config),
      console_(console),
      verifier_(config.subtract_offset),
      looked_at_(std::chrono::steady_clock::now()),
      processor_time_(processor_time()),
      due_(looked_at_ + interval) {
  if (config.report_file) {
    file_.open(*config.report_file, std::ios::app | std::ios::ate);
    complain_unless(file_.good(), *config.report_file);
  }
}

void Verification::take(const Message& message, Session& session, const std::stop_token& stop) {
  if (auto answer = clock_answer(message, std::chrono::system_clock::now())) {
    (void)session.publish(std::move(*answer), stop);
    return;
  }
  verifier_.take(message);
}

void Verification::refresh(std::size_t waiting) {
  greatest_queue_ = std::max(greatest_queue_, waiting);
  const auto now = std::chrono::steady_clock::now();
  if (now < due_) {
    return;
  }
  due_ = std::max(due_ + interval, now);
  const auto used = processor_time();
  busy_ = std::max(busy_, std::chrono::duration<double>(used - processor_time_) / (now - looked_at_));
  processor_time_ = used;
  looked_at_ = now;
  if (console_.is_for_a_person() && has_any()) {
    console_.status(words_so_far(verifier_));
  }
}

bool Verification::report(const Session& session, Output& output) {
  if (console_.is_for_a_person()) {
    console_.status("");
  }
  const std::string text =
      text_of(verifier_, config_.budgets, {session.dropped(), greatest_queue_, busy_},
              config_.report.value_or(ReportFormat::text), !config_.report_file || file_.tellp() == 0);
  if (config_.report_file) {
    file_ << text << std::flush;
    complain_unless(file_.good(), *config_.report_file);
  } else {
    output.write_text(text);
    output.flush();
  }
  const auto sentences = broken(config_.budgets, Totals{verifier_});
  if (!sentences.empty()) {
    console_.note(fmt::format("the verdict is no: {}", fmt::join(sentences, "; ")));
  }
  return sentences.empty();
}

}  // namespace sistem
