#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sistem {

/// How many letters one must add, drop, change or swap with their neighbour to make one word of the other.
[[nodiscard]] std::size_t distance(std::string_view one, std::string_view other);

/// What somebody may have meant who wrote `word`: the nearest of the candidates, where one is at most `most` away.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates,
                                                 std::size_t most);

/// "; did you mean X?" for the nearest that is likely, or nothing. `dashes` stand before the word.
[[nodiscard]] std::string suggestion(std::string_view word, const std::vector<std::string>& candidates,
                                     const std::string& dashes = {});

}  // namespace sistem
