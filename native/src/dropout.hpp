// Dropout of the adapters' inputs (Srivastava et al. 2014; PEFT's lora_dropout): masks that follow
// from seed, micro-batch, layer and linear map alone, so that the backward pass and a resumed run
// draw the same ones again.
#pragma once

#include <cstdint>
#include <vector>

#include "model.hpp"

namespace preflexor {

class Dropout {
 public:
  /** No dropout. */
  Dropout() = default;
  /** @param probability of a value to be dropped, below 1 @param draw counts micro-batches */
  Dropout(double probability, std::uint64_t seed, std::uint64_t draw)
      : probability_(probability), seed_(seed), draw_(draw) {}

  bool active() const { return probability_ > 0; }

  /** Factors 0 or 1 / (1 − probability) for the input of one linear map. */
  std::vector<float> mask(int layer, LinearRole role, size_t count) const;

 private:
  double probability_ = 0;
  std::uint64_t seed_ = 0;
  std::uint64_t draw_ = 0;
};

}  // namespace preflexor
