#include "common/text/nearest.hpp"

#include <algorithm>

namespace sistem {

std::size_t distance(std::string_view one, std::string_view other) {
  // Rows of the usual table: the two before the present one are enough, the older for swapped neighbours.
  std::vector<std::size_t> older(other.size() + 1);
  std::vector<std::size_t> last(other.size() + 1);
  std::vector<std::size_t> now(other.size() + 1);
  for (std::size_t column = 0; column <= other.size(); ++column) {
    last[column] = column;
  }
  for (std::size_t row = 1; row <= one.size(); ++row) {
    now[0] = row;
    for (std::size_t column = 1; column <= other.size(); ++column) {
      const std::size_t change = one[row - 1] == other[column - 1] ? 0 : 1;
      now[column] = std::min({last[column] + 1, now[column - 1] + 1, last[column - 1] + change});
      if (row > 1 && column > 1 && one[row - 1] == other[column - 2] && one[row - 2] == other[column - 1]) {
        now[column] = std::min(now[column], older[column - 2] + 1);
      }
    }
    std::swap(older, last);
    std::swap(last, now);
  }
  return last[other.size()];
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates,
                                   std::size_t most) {
  std::optional<std::string> best;
  std::size_t least = most + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t apart =
        word.size() > candidate.size() ? word.size() - candidate.size() : candidate.size() - word.size();
    if (apart >= least) {
      continue;  // the distance is at least that, and takes long to find for a word of 100 kB
    }
    const std::size_t here = distance(word, candidate);
    if (here < least) {
      least = here;
      best = candidate;
    }
  }
  return best;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates, const std::string& dashes) {
  // Two letters off in a long word are a slip; in a short one they are another word.
  const auto meant = nearest(word, candidates, word.size() > 4 ? 2 : 1);
  return meant ? "; did you mean " + dashes + *meant + "?" : "";
}

}  // namespace sistem
