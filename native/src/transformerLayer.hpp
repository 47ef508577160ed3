// One transformer layer as a list of blocks: norm, attention, residual, norm, gated MLP, residual.
// Serves llama, qwen2 (biases), qwen3 (norms of query and key heads) and gemma3 (norms after
// attention and MLP as well, windows, GELU): what a model lacks is null.
#pragma once

#include "batch.hpp"
#include "blocks/attention.hpp"
#include "blocks/linear.hpp"
#include "blocks/rope.hpp"
#include "dropout.hpp"
#include "frozenWeights.hpp"
#include "graph.hpp"

namespace preflexor {

/** Everything a layer reads besides its input. */
struct LayerContext {
  const HyperParameters& parameters;
  int index;
  const LayerWeights& weights;
  const PackedBatch& batch;
  RopeInputs rope;
  /** By role; null where the adapter has no such module. */
  std::array<const LoraTensors*, linearRoleCount> lora;
  const Dropout& dropout;
};

/** What the backward pass needs of the forward pass. */
struct LayerSaved {
  ggml_tensor* x = nullptr;       ///< layer input, [D, T]
  ggml_tensor* middle = nullptr;  ///< after attention, [D, T]
  /** What the linear maps gave, [out, T]; down is there only where a norm follows it. */
  std::array<ggml_tensor*, linearRoleCount> outputs = {};
  std::array<LinearSaved, linearRoleCount> linears;
  AttentionSaved attention;
};

/** LayerSaved::outputs outside of a graph: spares the backward pass the layer's matmuls. */
struct LayerKept {
  std::array<std::vector<float>, linearRoleCount> outputs;

  bool empty() const { return outputs[0].empty(); }
  /** Memory that one layer's takes for so many tokens. */
  static size_t bytes(const Model& model, int64_t tokens);
};

AttentionShape attentionShape(const HyperParameters& parameters, int layer);

/** Room for the operations of a layer's forward and backward pass. */
size_t layerNodes(const HyperParameters& parameters, int layer, const PackedBatch& batch);

/** y [D, T] of x [D, T]. */
ggml_tensor* layerForward(Graph& graph, const LayerContext& layer, ggml_tensor* x,
                          LayerSaved& saved);

/** Tells the graph that readKept() will be called. */
void markKept(Graph& graph, const LayerContext& layer, const LayerSaved& saved);
LayerKept readKept(const LayerContext& layer, const LayerSaved& saved);

/**
 * As layerForward, but only what the backward pass needs.
 * @param kept of the same layer and input, or empty; must outlive the graph's computation
 */
void layerSave(Graph& graph, const LayerContext& layer, ggml_tensor* x, const LayerKept& kept,
               LayerSaved& saved);

/** dx [D, T] of dy [D, T]; adds to the adapter's gradients. */
ggml_tensor* layerBackward(Graph& graph, const LayerContext& layer, const LayerSaved& saved,
                           ggml_tensor* dy);

}  // namespace preflexor
