#include "common/text/random.hpp"

#include <sys/random.h>

#include <cerrno>
#include <cmath>
#include <system_error>

namespace sistem {
namespace {

/// FNV-1a, and a last stirring (splitmix64's), so that names that differ by a bit give seeds that differ by many.
std::uint64_t seed_of(std::uint64_t seed, std::string_view name) {
  std::uint64_t hash = 14695981039346656037ULL ^ seed;
  for (const char c : name) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  }
  hash += 0x9E3779B97F4A7C15ULL * (seed + 1);
  hash = (hash ^ hash >> 30U) * 0xBF58476D1CE4E5B9ULL;
  hash = (hash ^ hash >> 27U) * 0x94D049BB133111EBULL;
  return hash ^ hash >> 31U;
}

/// The natural logarithm of a number above 0: ln(2^e m) = e ln 2 + 2 artanh((m - 1) / (m + 1)), m around 1.
double natural_logarithm(double number) {
  constexpr double ln_2 = 0.693147180559945309;
  constexpr double root_of_half = 0.707106781186547524;
  int exponent = 0;
  double mantissa = std::frexp(number, &exponent);  // 0.5 up to 1
  if (mantissa < root_of_half) {
    mantissa *= 2;
    --exponent;
  }
  const double ratio = (mantissa - 1) / (mantissa + 1);  // at most 0.172
  const double square = ratio * ratio;
  double sum = 0;
  for (int divisor = 23; divisor >= 1; divisor -= 2) {
    sum = sum * square + 1.0 / divisor;
  }
  return exponent * ln_2 + 2 * ratio * sum;
}

}  // namespace

Random::Random(std::uint64_t seed, std::string_view name) : engine_(seed_of(seed, name)) {}

std::int64_t Random::whole(std::int64_t least, std::int64_t most) {
  const std::uint64_t count = static_cast<std::uint64_t>(most) - static_cast<std::uint64_t>(least) + 1;
  std::uint64_t number = engine_();
  if (count != 0) {  // 0 stands for 2^64: any number will do
    // Those above the last whole multiple would make the first ones more likely.
    const std::uint64_t surplus = (UINT64_MAX % count + 1) % count;
    while (number > UINT64_MAX - surplus) {
      number = engine_();
    }
    number %= count;
  }
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(least) + number);
}

double Random::real(double low, double high) {
  constexpr double one_53rd_bit = 1.0 / 9007199254740992.0;
  return low + static_cast<double>(engine_() >> 11U) * one_53rd_bit * (high - low);
}

double Random::normal(double mean, double sigma) {
  // Marsaglia's polar method; its second number is left alone, so that each call is like the others.
  while (true) {
    const double x = real(-1, 1);
    const double y = real(-1, 1);
    const double square = x * x + y * y;
    if (square > 0 && square < 1) {
      return mean + sigma * x * std::sqrt(-2 * natural_logarithm(square) / square);
    }
  }
}

std::string Random::bytes(std::size_t count) {
  std::string bytes;
  bytes.reserve(count);
  for (std::uint64_t number = 0; bytes.size() < count; number >>= 8U) {
    if (bytes.size() % 8 == 0) {
      number = engine_();
    }
    bytes += static_cast<char>(number & 0xFFU);
  }
  return bytes;
}

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  if (::getrandom(&seed, sizeof seed, 0) != sizeof seed) {  // never, of so little
    throw std::system_error(errno, std::generic_category(), "no random number");
  }
  return seed;
}

double sine_of_turns(double turns) {
  constexpr double two_pi = 6.28318530717958648;
  // To the quarter around 0, where the series is short: sin(1/2 - t) = sin t, sin(t - 1) = sin t.
  const double quarter = turns > 0.75 ? turns - 1 : turns > 0.25 ? 0.5 - turns : turns;
  const double angle = two_pi * quarter;
  double sum = 0;
  for (int degree = 21; degree >= 3; degree -= 2) {
    sum = (sum + 1) * -angle * angle / (degree * (degree - 1));
  }
  return angle * (1 + sum);
}

}  // namespace sistem
