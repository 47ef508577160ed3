// The whole network over a packed batch: log-probabilities of labels forward, adapter gradients
// backward. Keeps each layer's input and computes the rest of a layer again when going back.
#pragma once

#include <memory>

#include "adapter.hpp"
#include "batch.hpp"
#include "frozenWeights.hpp"
#include "head.hpp"

namespace preflexor {

/** What one forward pass leaves behind. */
struct Forward {
  std::vector<double> logProbabilities;         ///< one per label of the batch
  std::vector<std::vector<float>> layerInputs;  ///< [D, T] of each layer; kept for going back
  std::vector<float> hidden;                    ///< last layer's output, [D, T]
  std::vector<float> unitGradients;             ///< see HeadResult
};

class Network {
 public:
  Network(Backend& backend, const Model& model);

  /** @param adapter null for the base model @param forBackward keep what backward() needs */
  Forward forward(const PackedBatch& batch, const Adapter* adapter, bool forBackward);

  /**
   * Adds d(Σ weights[i] · log p(label i)) / d parameter to the adapter's gradients.
   * @param weights one per label @param forward of the same batch and adapter, with forBackward
   */
  void backward(const PackedBatch& batch, const Adapter& adapter, const Forward& forward,
                const std::vector<double>& weights);

 private:
  std::vector<float> normed(const std::vector<float>& hidden, int64_t tokens);
  std::vector<float> normedBackward(const std::vector<float>& hidden,
                                    const std::vector<float>& gradient, int64_t tokens);

  Backend& backend_;
  const Model& model_;
  FrozenWeights weights_;
  Head head_;
};

}  // namespace preflexor
