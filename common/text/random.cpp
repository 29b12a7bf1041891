#include "common/text/random.hpp"

#include <sys/random.h>

#include <cerrno>
#include <cmath>
#include <system_error>

namespace sistem {

std::uint64_t hash_of(std::string_view text, std::uint64_t seed) {
  std::uint64_t hash = 14695981039346656037ULL ^ seed;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  }
  return hash;
}

std::uint64_t random_bits(std::uint64_t seed, std::uint64_t number) {
  std::uint64_t bits = seed + (number + 1) * 0x9E3779B97F4A7C15ULL;
  bits = (bits ^ bits >> 30U) * 0xBF58476D1CE4E5B9ULL;
  bits = (bits ^ bits >> 27U) * 0x94D049BB133111EBULL;
  return bits ^ bits >> 31U;
}

Random::Random(std::uint64_t seed, std::string_view name) : engine_(random_bits(hash_of(name, seed), seed)) {}

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
      return mean + sigma * x * std::sqrt(-2 * std::log(square) / square);
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

}  // namespace sistem
