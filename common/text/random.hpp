#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace sistem {

/// Random values that are the same for the same seed on every machine, but for the last bits of those of the normal
/// distribution. The standard fixes what its engines give, but not what its distributions make of that, so these are
/// our own.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  /// A stream of its own for each name: what one gives does not depend on how often another is asked.
  Random(std::uint64_t seed, std::string_view name);

  /// Any number from `least` to `most`, each as likely as the others.
  [[nodiscard]] std::int64_t whole(std::int64_t least, std::int64_t most);
  /// A number from `low` on and below `high`.
  [[nodiscard]] double real(double low, double high);
  /// A number of the normal distribution.
  [[nodiscard]] double normal(double mean, double sigma);
  [[nodiscard]] std::string bytes(std::size_t count);

 private:
  std::mt19937_64 engine_;
};

/// 64 bits that nobody can foresee, of the kernel. std::random_device asks the processor who it is first, which takes
/// 0.1 ms on a virtual machine.
[[nodiscard]] std::uint64_t random_seed();

/// The same for the same text in each run, and spread over all bits but the lowest where texts differ in one letter
/// (FNV-1a).
[[nodiscard]] std::uint64_t hash_of(std::string_view text, std::uint64_t seed = 0);

/// The bits with that number that a seed gives (SplitMix64, by its position): no other ones have to be drawn before.
[[nodiscard]] std::uint64_t random_bits(std::uint64_t seed, std::uint64_t number);

}  // namespace sistem
