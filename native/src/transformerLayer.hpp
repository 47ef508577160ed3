// One transformer layer as a list of blocks: norm, attention, residual, norm, gated MLP, residual.
// Serves llama, qwen2 (biases) and qwen3 (norms of query and key heads): what a model lacks is
// null.
#pragma once

#include "batch.hpp"
#include "blocks/attention.hpp"
#include "blocks/linear.hpp"
#include "blocks/rope.hpp"
#include "frozenWeights.hpp"
#include "graph.hpp"

namespace preflexor {

/** Everything a layer reads besides its input. */
struct LayerContext {
  const HyperParameters& parameters;
  const LayerWeights& weights;
  const PackedBatch& batch;
  RopeInputs rope;
  /** By role; null where the adapter has no such module. */
  std::array<const LoraTensors*, linearRoleCount> lora;
};

/** What the backward pass needs of the forward pass. */
struct LayerSaved {
  ggml_tensor* x = nullptr;         ///< layer input, [D, T]
  ggml_tensor* middle = nullptr;    ///< after attention, [D, T]
  ggml_tensor* queryRaw = nullptr;  ///< before the head norm, [headWidth, heads, T]
  ggml_tensor* keyRaw = nullptr;
  ggml_tensor* gate = nullptr;  ///< [F, T]
  ggml_tensor* up = nullptr;    ///< [F, T]
  std::array<LinearSaved, linearRoleCount> linears;
  AttentionSaved attention;
};

/** y [D, T] of x [D, T]. */
ggml_tensor* layerForward(Graph& graph, const LayerContext& layer, ggml_tensor* x,
                          LayerSaved& saved);

/** As layerForward, but without the last matmul, which the backward pass does not need. */
void layerSave(Graph& graph, const LayerContext& layer, ggml_tensor* x, LayerSaved& saved);

/** dx [D, T] of dy [D, T]; adds to the adapter's gradients. */
ggml_tensor* layerBackward(Graph& graph, const LayerContext& layer, const LayerSaved& saved,
                           ggml_tensor* dy);

}  // namespace preflexor
