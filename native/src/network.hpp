// The whole network over a packed batch: log-probabilities of labels (or their divergence from a
// frozen network) forward, adapter gradients backward. Keeps each layer's input, and of the last
// layers, as far as the memory budget reaches, what their matmuls gave; the rest of a layer is
// computed again when going back.
#pragma once

#include <memory>

#include "adapter.hpp"
#include "batch.hpp"
#include "dropout.hpp"
#include "frozenWeights.hpp"
#include "head.hpp"
#include "transformerLayer.hpp"

namespace preflexor {

/** What one forward pass leaves behind. */
struct Forward {
  /** One per label of the batch: log p of the label, or minus the divergence at its row. */
  std::vector<double> values;
  std::vector<std::vector<float>> layerInputs;  ///< [D, T] of each layer; kept for going back
  std::vector<LayerKept> kept;                  ///< per layer; empty where it is computed again
  std::vector<float> hidden;                    ///< last layer's output, [D, T]
  std::vector<float> unitGradients;             ///< d values / d hidden state, see HeadResult
};

class Network {
 public:
  Network(Backend& backend, const Model& model);

  /** @param adapter null for the base model @param forBackward keep what backward() needs */
  Forward forward(const PackedBatch& batch, const Adapter* adapter, bool forBackward,
                  const Dropout& dropout = {});

  /** Hidden states after the output norm, [D, T]: what divergence() compares with. */
  std::vector<float> hiddenStates(const PackedBatch& batch, const Adapter* adapter);

  /**
   * As forward(), with −KL(frozen ‖ adapted) of the whole distribution at each label's row as
   * value.
   * @param frozen hiddenStates() of the same batch under the frozen network
   */
  Forward divergence(const PackedBatch& batch, const Adapter* adapter,
                     const std::vector<float>& frozen, bool forBackward,
                     const Dropout& dropout = {});

  /**
   * Adds d(Σ weights[i] · value i) / d parameter to the adapter's gradients.
   * @param weights one per label
   * @param forward of the same batch, adapter and dropout, with forBackward; what it kept is used
   * up
   */
  void backward(const PackedBatch& batch, const Adapter& adapter, Forward& forward,
                const std::vector<double>& weights, const Dropout& dropout = {});

  /** Bytes of the staged weights and the logits. */
  size_t storeBytes() const { return weights_.bytes() + head_.bytes(); }

  /** Bytes of the work buffer that going back over such a batch needs. */
  size_t workBytes(const PackedBatch& batch, const Adapter& adapter);

  /** What computing over a batch takes, extrapolated from one layer and some rows of the head. */
  struct Rehearsal {
    double forwardSeconds = 0;
    double trainingSeconds = 0;  ///< forward and backward
  };
  /** The adapter's gradients are cleared. */
  Rehearsal rehearse(const PackedBatch& batch, Adapter& adapter);

  /** Bytes that setKeptBytes() would need for keeping everything. */
  size_t bytesToKeepAll(const PackedBatch& batch) const;

  /** How much memory forward() may use to spare backward() work. The results do not depend on it.
   */
  void setKeptBytes(size_t bytes) { keptBytes_ = bytes; }

 private:
  Forward throughLayers(const PackedBatch& batch, const Adapter* adapter, bool forBackward,
                        const Dropout& dropout);
  LayerContext contextOf(Graph& graph, const PackedBatch& batch, const Adapter* adapter, int layer,
                         const Dropout& dropout);
  std::vector<float> normed(const std::vector<float>& hidden, int64_t tokens);
  std::vector<float> normedBackward(const std::vector<float>& hidden,
                                    const std::vector<float>& gradient, int64_t tokens);
  /** Seconds of one layer, with its weights read anew; fills `kept` unless null. */
  double timeForward(const PackedBatch& batch, const Adapter& adapter, const std::vector<float>& x,
                     LayerKept* kept);
  double timeBackward(const PackedBatch& batch, const Adapter& adapter, const std::vector<float>& x,
                      const LayerKept& kept);
  /** The first layer whose matmuls' results are kept. */
  int firstKeptLayer(const PackedBatch& batch) const;

  Backend& backend_;
  const Model& model_;
  FrozenWeights weights_;
  Head head_;
  size_t keptBytes_ = 0;
};

}  // namespace preflexor
