#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/session.hpp"

namespace sistem {

/// What is subscribed, so that a connection that was lost can be regained with it. Pure.
class Subscriptions {
 public:
  /// These are about to be sent: not later, since a connection that is lost on the way is regained with them.
  void add(const std::vector<Subscription>& subscriptions) {
    for (const Subscription& one : subscriptions) {
      remove({one.filter});
      all_.push_back(one);
    }
    has_any_ = true;
    renewed_.clear();
  }
  void remove(const std::vector<std::string>& filters) {
    for (const std::string& filter : filters) {
      std::erase_if(all_, [&](const Subscription& one) { return one.filter == filter; });
    }
  }
  [[nodiscard]] const std::vector<Subscription>& all() const { return all_; }
  /// Whether anything was ever subscribed.
  [[nodiscard]] bool has_any() const { return has_any_; }

  /// A connection was regained with these.
  void renew(const std::vector<Grant>& grants) {
    for (const Grant& grant : grants) {
      renewed_[grant.filter] = grant;
    }
  }
  /// What the broker said to all of these when a connection was regained since they were added; else nothing.
  [[nodiscard]] std::optional<std::vector<Grant>> renewed(const std::vector<Subscription>& subscriptions) const {
    std::vector<Grant> grants;
    for (const Subscription& one : subscriptions) {
      const auto grant = renewed_.find(one.filter);
      if (grant == renewed_.end()) {
        return std::nullopt;
      }
      grants.push_back(grant->second);
    }
    return grants;
  }

 private:
  std::vector<Subscription> all_;
  bool has_any_ = false;
  std::map<std::string, Grant> renewed_;
};

}  // namespace sistem
