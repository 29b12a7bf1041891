#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/mqtt/message.hpp"
#include "sub/match/json_condition.hpp"
#include "sub/match/match_config.hpp"
#include "sub/match/pattern.hpp"

namespace sistem {

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
  [[nodiscard]] bool is_drawn();

  const MatchConfig& config_;
  std::vector<Pattern> patterns_;
  std::vector<JsonCondition> conditions_;
  std::optional<Pattern> until_;
  std::unordered_map<std::size_t, std::size_t> payloads_;  ///< hashes, by those of their topics: so memory has a bound
  std::mt19937 random_;
};

}  // namespace sistem
