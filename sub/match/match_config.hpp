#pragma once

#include <optional>
#include <string>
#include <vector>

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

}  // namespace sistem
