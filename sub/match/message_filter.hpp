#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/mqtt/message.hpp"
#include "sub/match/condition.hpp"

namespace sistem {

/// Which of the messages that arrive are handled.
struct MatchConfig {
  std::vector<std::string> filter_out;  ///< topic filters of messages that are not handled
  bool skip_retained = false;           ///< -R: do not handle retained messages
  bool retained_only = false;           ///< handle retained messages only, and end with the first other
  bool remove_retained = false;         ///< have the broker forget each retained message that is handled
  bool dry_run = false;                 ///< handle those that remove_retained would remove, and remove none
  std::vector<std::string> match;       ///< regular expressions, of which a payload matches one
  std::vector<std::string> json_match;  ///< conditions that all hold for a JSON payload
  bool unique = false;                  ///< only where the payload is not the one before it on its topic
  double random_filter = 100;           ///< percentage of messages that are printed
  std::optional<std::string> until;     ///< end with the first payload that matches
};

/// What is to be done with a message.
struct Choice {
  bool ends = false;       ///< it is not one that was asked for, and none after it will be: --retained-only
  bool forgotten = false;  ///< the broker is to forget it: --remove-retained
  bool handled = false;    ///< it counts
  bool printed = false;
  bool is_last = false;  ///< it is the one that --until waits for
};

/// Which of the messages that arrive are handled: a message in, a choice out, in the order in which they came. Of two
/// options that leave a message out, the first in this order decides:
/// --retained-only, --filter-out, --match, --json-match, (--remove-retained,) --skip-retained, --unique, (--count,)
/// --random-filter.
class MessageFilter {
 public:
  /// `seed` decides what --random-filter draws. Throws Expected for a pattern or a condition that is wrong.
  MessageFilter(const MatchConfig& config, std::uint_fast32_t seed);

  [[nodiscard]] Choice choose(const Message& message);

  /// So many topics --unique knows at most. With one more it forgets all of them and begins anew.
  static constexpr std::size_t most_topics = 100'000;

  /// Whether --filter-out keeps it from being handled.
  [[nodiscard]] bool is_filtered_out(const Message& message) const;

 private:
  [[nodiscard]] bool is_matched(const Message& message) const;
  [[nodiscard]] bool is_new(const Message& message);

  const MatchConfig& config_;
  std::vector<Pattern> patterns_;
  std::vector<JsonCondition> conditions_;
  std::optional<Pattern> until_;
  std::unordered_map<std::size_t, std::size_t> payloads_;  ///< hashes, by those of their topics: so memory has a bound
  std::mt19937 random_;
};

}  // namespace sistem
