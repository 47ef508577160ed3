// Implementation of dropout.hpp.
#include "dropout.hpp"

#include "random.hpp"

namespace preflexor {

std::vector<float> Dropout::mask(int layer, LinearRole role, size_t count) const {
  // 2^13 layers and 2^3 roles leave 2^48 micro-batches.
  const std::uint64_t stream =
      (draw_ << 16) | (static_cast<std::uint64_t>(layer) << 3) | static_cast<std::uint64_t>(role);
  Random random(seed_, RandomPurpose::dropout, stream);
  const auto threshold = static_cast<std::uint32_t>(probability_ * 4294967296.0);
  const auto kept = static_cast<float>(1.0 / (1.0 - probability_));
  std::vector<float> factors(count);
  std::uint64_t bits = 0;
  for (size_t index = 0; index < count; ++index) {
    bits = index % 2 == 0 ? random.next() : bits >> 32;
    factors[index] = static_cast<std::uint32_t>(bits) < threshold ? 0.0F : kept;
  }
  return factors;
}

}  // namespace preflexor
