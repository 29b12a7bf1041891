#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string_view>

#include "common/text/random.hpp"
#include "common/text/words.hpp"

namespace sistem {

/// A number that is another one each time, as a sensor's is.
struct Generator {
  /// The next one. `elapsed` is how far the run's schedule has come.
  std::function<double(std::chrono::nanoseconds elapsed)> next;
  int decimals = 0;  ///< that it is written with where nobody wants others; 0: it is a whole number
};

/// Reads what stands behind the name of a generator, and makes it; nothing where there is none of that name:
///   rand    1..6            evenly from the first to the last
///   normal  28,0.5          of the normal distribution: mean, sigma
///   walk    20..35,0.2      from the middle on by that much at most, up or down, and back from the ends
///   sine    20..35,60s      a wave: low, high and its period; a third part is how far it is ahead in the beginning
///   step    0..10,1         up by that much each time, and from the beginning after the last
/// rand, walk and step give whole numbers where all their numbers are whole. Throws Expected.
[[nodiscard]] std::optional<Generator> read_generator(std::string_view name, Scanner& scanner, const Random& random);

}  // namespace sistem
