#include "sub/match/message_filter.hpp"

#include <algorithm>
#include <functional>
#include <string_view>

#include "common/mqtt/topic.hpp"

namespace sistem {

MessageFilter::MessageFilter(const MatchConfig& config, std::uint_fast32_t seed) : config_(config), random_(seed) {
  for (const std::string& regex : config.match) {
    patterns_.emplace_back(regex);
  }
  for (const std::string& expression : config.json_match) {
    conditions_.emplace_back(expression);
  }
  if (config.until) {
    until_.emplace(*config.until);
  }
}

Choice MessageFilter::choose(const Message& message) {
  Choice choice;
  if (config_.retained_only && !message.retain) {
    choice.ends = true;
    return choice;
  }
  if (is_filtered_out(message) || !is_matched(message)) {
    return choice;
  }
  // mosquitto_sub's manual wants this under -R, too; its code (2.0.11) does not do it.
  choice.forgotten = message.retain && config_.remove_retained;
  const bool is_left_out = config_.dry_run ? !choice.forgotten : message.retain && config_.skip_retained;
  if (is_left_out || !is_new(message)) {
    return choice;
  }
  choice.handled = true;  // by the count, also what chance or its form keeps from being printed
  choice.is_last = until_ && until_->matches_in(message.payload);
  choice.printed = config_.random_filter >= 100 ||
                   std::uniform_real_distribution{0.0, 100.0}(random_) < config_.random_filter || choice.is_last;
  return choice;
}

bool MessageFilter::is_filtered_out(const Message& message) const {
  return std::any_of(config_.filter_out.begin(), config_.filter_out.end(),
                     [&](const std::string& filter) { return matches(filter, message.topic); });
}

/// One of the patterns is enough; the conditions must all hold.
bool MessageFilter::is_matched(const Message& message) const {
  const auto is_found = [&](const Pattern& pattern) { return pattern.matches_in(message.payload); };
  return (patterns_.empty() || std::any_of(patterns_.begin(), patterns_.end(), is_found)) &&
         std::all_of(conditions_.begin(), conditions_.end(),
                     [&](const JsonCondition& condition) { return condition.holds(message.payload); });
}

bool MessageFilter::is_new(const Message& message) {
  if (!config_.unique) {
    return true;
  }
  constexpr std::hash<std::string_view> hash;
  const std::size_t topic = hash(message.topic);
  const std::size_t payload = hash(message.payload);
  const auto known = payloads_.find(topic);
  if (known != payloads_.end()) {
    const bool is_other = known->second != payload;
    known->second = payload;
    return is_other;
  }
  if (payloads_.size() == most_topics) {
    payloads_.clear();
  }
  payloads_.emplace(topic, payload);
  return true;
}

}  // namespace sistem
