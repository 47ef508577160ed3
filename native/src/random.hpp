// Random numbers that depend on nothing but a seed, a purpose and a counter: a resumed run draws
// what an unbroken run draws, without any generator state to save. Not for secrets.
#pragma once

#include <cstdint>
#include <vector>

namespace preflexor {

/** What a stream of numbers is for; each purpose draws from its own stream. */
enum class RandomPurpose : std::uint64_t {
  initialise = 1,
  order = 2,
  test = 3,
  dropout = 4,
  anchor = 5
};

/** SplitMix64 (Steele, Lea, Flood 2014) started at a hash of (seed, purpose, stream). */
class Random {
 public:
  Random(std::uint64_t seed, RandomPurpose purpose, std::uint64_t stream = 0);

  std::uint64_t next();
  /** Uniform in [0, 1), 53 bits. */
  double uniform();
  /** Uniform in {0 … bound−1}, without bias; `bound` > 0. */
  std::uint64_t below(std::uint64_t bound);
  /** Normal with mean 0 and deviation 1 (Box–Muller, one value a call). */
  double normal();

 private:
  std::uint64_t state_;
};

/** The numbers 0 … count−1 in the order of one epoch; the same for the same seed and epoch. */
std::vector<std::uint32_t> epochOrder(std::uint64_t seed, std::uint64_t epoch, std::uint32_t count,
                                      RandomPurpose purpose = RandomPurpose::order);

}  // namespace preflexor
