#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/measure/deliveries.hpp"
#include "common/process/error.hpp"
#include "common/process/stop.hpp"
#include "common/session.hpp"

namespace sistem {

/// Tells whoever publishes what becomes of the messages, by their numbers in the window: in Deliveries, if asked to,
/// and of those that were refused as it was asked for. Pure.
class Ledger {
 public:
  void record_deliveries(std::shared_ptr<Deliveries> deliveries, OnRefusal on_refusal) {
    deliveries_ = std::move(deliveries);
    on_refusal_ = on_refusal;
  }
  [[nodiscard]] const std::shared_ptr<Deliveries>& deliveries() const { return deliveries_; }
  [[nodiscard]] OnRefusal on_refusal() const { return on_refusal_; }

  void take(std::uint64_t number, std::size_t size, Deadline now) {
    if (deliveries_) {
      deliveries_->take(size);
      taken_at_.emplace(number, now);
    }
  }
  void acknowledge(std::uint64_t number, Deadline now) {
    if (const auto taken = taken_at_.extract(number)) {
      deliveries_->acknowledge(now - taken.mapped());
    }
  }
  void send_again() {
    if (deliveries_) {
      deliveries_->send_again();
    }
  }
  /// `reason`: in a few words, of which there are only so many; `why`: as a sentence.
  void refuse(std::uint64_t number, const std::string& reason, const std::string& why) {
    if (taken_at_.erase(number) > 0) {
      deliveries_->refuse(reason, why);
    }
    if (on_refusal_ == OnRefusal::ends_the_run && !std::exchange(has_refused_, true)) {
      refusal_ = Error{why, ExitStatus::topic_refused};
    } else if (on_refusal_ == OnRefusal::is_reported) {
      notes_.push_back(why);
    }
  }
  /// It is neither acknowledged nor refused.
  void forget(std::uint64_t number) { taken_at_.erase(number); }

  /// The first message that was refused, where that ends the run; it is told once.
  [[nodiscard]] bool has_refusal() const { return refusal_.has_value(); }
  [[nodiscard]] std::optional<Error> take_refusal() { return std::exchange(refusal_, std::nullopt); }
  /// What is to be reported since the last call.
  [[nodiscard]] bool has_notes() const { return !notes_.empty(); }
  [[nodiscard]] std::vector<std::string> take_notes() { return std::exchange(notes_, {}); }

 private:
  std::shared_ptr<Deliveries> deliveries_;
  std::unordered_map<std::uint64_t, Deadline> taken_at_;  ///< for Deliveries, while unacknowledged
  OnRefusal on_refusal_ = OnRefusal::ends_the_run;
  std::optional<Error> refusal_;
  bool has_refused_ = false;
  std::vector<std::string> notes_;
};

}  // namespace sistem
