#include "pub/source/generator.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>

namespace sistem {
namespace {

using std::chrono::nanoseconds;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// std::pow() may be off by its last bit.
double power_of_ten(int exponent) {
  double power = 1;
  for (; exponent > 0; --exponent) {
    power *= 10;
  }
  return power;
}

/// A decimal number as it was written: `units` of 10^-`decimals`.
struct Decimal {
  std::int64_t units = 0;
  int decimals = 0;

  [[nodiscard]] double value() const { return static_cast<double>(units) / power_of_ten(decimals); }
};

constexpr int most_digits = 15;  // which a double holds to the last

Decimal read_decimal(Scanner& scanner, std::string_view what) {
  const std::size_t start = scanner.position();
  std::string digits = scanner.take("-") ? "-" : "";
  Decimal number;
  const auto take_digits = [&] {
    const std::string_view taken = scanner.take_digits();
    digits += taken;
    return static_cast<int>(taken.size());
  };
  int count = take_digits();
  if (count == 0) {
    scanner.fail_at(start, what);
  }
  // The two points of LOW..HIGH are not those of a decimal.
  if (scanner.peek() == '.' && scanner.rest().size() > 1 && is_digit(scanner.rest()[1])) {
    scanner.take(".");
    number.decimals = take_digits();
    count += number.decimals;
  }
  if (count > most_digits) {
    scanner.fail_at(start, "a number of at most 15 digits");
  }
  std::from_chars(digits.data(), digits.data() + digits.size(), number.units);
  return number;
}

struct Range {
  Decimal low;
  Decimal high;
};

Range read_range(Scanner& scanner) {
  Range range;
  range.low = read_decimal(scanner, "a range LOW..HIGH");
  scanner.expect("..");
  const std::size_t start = scanner.position();
  range.high = read_decimal(scanner, "the range's higher end");
  if (range.high.value() < range.low.value()) {
    scanner.fail_at(start, "a higher end that is not below the lower one");
  }
  return range;
}

Decimal read_step(Scanner& scanner, const Range& range) {
  scanner.expect(",");
  const std::size_t start = scanner.position();
  const Decimal step = read_decimal(scanner, "the size of a step");
  if (step.value() <= 0 || step.value() > range.high.value() - range.low.value()) {
    scanner.fail_at(start, "a step above 0 that fits into the range");
  }
  return step;
}

/// How many decimals show what numbers like these become: one more than they have, two at least.
template <typename... Decimals>
int finer_than(const Decimals&... numbers) {
  return std::max({2, numbers.decimals + 1 ...});
}

/// A time with its unit; seconds without one.
nanoseconds read_time(Scanner& scanner, std::string_view what) {
  const std::size_t start = scanner.position();
  const double count = read_decimal(scanner, what).value();
  const double seconds = count * (scanner.take("ms")  ? 0.001
                                  : scanner.take("s") ? 1
                                  : scanner.take("m") ? 60
                                  : scanner.take("h") ? 3600
                                  : scanner.take("d") ? 86400
                                                      : 1);
  if (seconds < 0 || seconds > 1e9) {
    scanner.fail_at(start, what);
  }
  return nanoseconds(std::llround(seconds * 1e9));
}

Generator rand_in(Scanner& scanner, const Random& random) {
  const Range range = read_range(scanner);
  if (range.low.decimals == 0 && range.high.decimals == 0) {
    return {[range, random = random](nanoseconds) mutable {
      return static_cast<double>(random.whole(range.low.units, range.high.units));
    }};
  }
  return {[low = range.low.value(), high = range.high.value(), random = random](nanoseconds) mutable {
            return random.real(low, high);
          },
          finer_than(range.low, range.high)};
}

Generator normal_around(Scanner& scanner, const Random& random) {
  const Decimal mean = read_decimal(scanner, "the mean and sigma, as 28,0.5,");
  scanner.expect(",");
  const std::size_t start = scanner.position();
  const Decimal sigma = read_decimal(scanner, "sigma");
  if (sigma.units < 0) {
    scanner.fail_at(start, "a sigma that is not below 0");
  }
  return {[mean = mean.value(), sigma = sigma.value(), random = random](nanoseconds) mutable {
            return random.normal(mean, sigma);
          },
          finer_than(mean, sigma)};
}

Generator walk_in(Scanner& scanner, const Random& random) {
  const Range range = read_range(scanner);
  const Decimal size = read_step(scanner, range);
  const bool is_whole = range.low.decimals == 0 && range.high.decimals == 0 && size.decimals == 0;
  const double low = range.low.value();
  const double high = range.high.value();
  const double middle = low + (high - low) / 2;
  return {[=, random = random, step = size.value(), whole_step = size.units,
           at = is_whole ? std::floor(middle) : middle, begun = false](nanoseconds) mutable {
            if (!begun) {
              begun = true;
              return at;
            }
            at += is_whole ? static_cast<double>(random.whole(-whole_step, whole_step)) : random.real(-step, step);
            at = at > high ? high - (at - high) : at < low ? low + (low - at) : at;
            return at;
          },
          is_whole ? 0 : finer_than(range.low, range.high, size)};
}

Generator sine_in(Scanner& scanner, const Random& /*unused*/) {
  const Range range = read_range(scanner);
  scanner.expect(",");
  const std::size_t start = scanner.position();
  const nanoseconds period = read_time(scanner, "a period as 500ms, 60s, 5m, 24h or 1d");
  if (period <= nanoseconds(0)) {
    scanner.fail_at(start, "a period above 0");
  }
  const nanoseconds ahead = scanner.take(",") ? read_time(scanner, "a time as 15s") : nanoseconds(0);
  return {[=, low = range.low.value(), high = range.high.value()](nanoseconds elapsed) {
            const double turns =
                static_cast<double>((elapsed + ahead) % period / nanoseconds(1)) / static_cast<double>(period.count());
            return low + (high - low) * (0.5 + 0.5 * std::sin(2 * std::numbers::pi * turns));
          },
          finer_than(range.low, range.high)};
}

Generator step_in(Scanner& scanner, const Random& /*unused*/) {
  const std::size_t start = scanner.position();
  const Range range = read_range(scanner);
  const Decimal size = read_step(scanner, range);
  // In units of the finest of the three, so that ten steps of 0.1 are 1.
  const int decimals = std::max({range.low.decimals, range.high.decimals, size.decimals});
  const auto in_units = [&](const Decimal& number) {
    const double factor = power_of_ten(decimals - number.decimals);
    if (std::abs(static_cast<double>(number.units) * factor) >= 1e15) {
      scanner.fail_at(start, "numbers of at most 15 digits together");
    }
    return number.units * std::llround(factor);
  };
  const std::int64_t low = in_units(range.low);
  const std::int64_t step = std::max<std::int64_t>(in_units(size), 1);  // which it is: read_step() takes none of 0
  const std::int64_t count = (in_units(range.high) - low) / step + 1;
  return {[=, number = std::int64_t{0}](nanoseconds) mutable {
            const Decimal value{low + number * step, decimals};
            number = (number + 1) % count;
            return value.value();
          },
          decimals};
}

struct Kind {
  std::string_view name;
  Generator (*read)(Scanner&, const Random&);
};

constexpr std::array kinds{Kind{"rand", rand_in}, Kind{"normal", normal_around}, Kind{"walk", walk_in},
                           Kind{"sine", sine_in}, Kind{"step", step_in}};

}  // namespace

std::optional<Generator> read_generator(std::string_view name, Scanner& scanner, const Random& random) {
  const auto* const kind = std::find_if(kinds.begin(), kinds.end(), [&](const Kind& one) { return one.name == name; });
  if (kind == kinds.end()) {
    return std::nullopt;
  }
  scanner.expect(":");
  return kind->read(scanner, random);
}

}  // namespace sistem
