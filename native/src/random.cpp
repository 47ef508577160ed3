// Implementation of random.hpp.
#include "random.hpp"

#include <cmath>
#include <numeric>
#include <utility>

namespace preflexor {
namespace {

std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

constexpr std::uint64_t golden = 0x9e3779b97f4a7c15ULL;

}  // namespace

Random::Random(std::uint64_t seed, RandomPurpose purpose, std::uint64_t stream)
    : state_(mix(mix(mix(seed + golden) + static_cast<std::uint64_t>(purpose) * golden) + stream)) {
}

std::uint64_t Random::next() {
  state_ += golden;
  return mix(state_);
}

double Random::uniform() {
  return static_cast<double>(next() >> 11) * 0x1.0p-53;
}

std::uint64_t Random::below(std::uint64_t bound) {
  const std::uint64_t threshold = (0 - bound) % bound;
  for (;;) {
    const std::uint64_t value = next();
    if (value >= threshold) return value % bound;
  }
}

double Random::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(6.283185307179586 * uniform());
}

std::vector<std::uint32_t> epochOrder(std::uint64_t seed, std::uint64_t epoch, std::uint32_t count,
                                      RandomPurpose purpose) {
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  Random random(seed, purpose, epoch);
  for (std::uint32_t last = count; last > 1; --last) {
    std::swap(order[last - 1], order[random.below(last)]);
  }
  return order;
}

}  // namespace preflexor
