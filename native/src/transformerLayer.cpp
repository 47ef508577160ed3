// Implementation of transformerLayer.hpp.
#include "transformerLayer.hpp"

#include "blocks/gatedMlp.hpp"
#include "blocks/rmsNorm.hpp"

namespace preflexor {
namespace {

size_t at(LinearRole role) {
  return static_cast<size_t>(role);
}

ggml_tensor* forward(Graph& graph, const LayerContext& layer, LinearRole role, ggml_tensor* x,
                     LayerSaved& saved) {
  return linearForward(graph, layer.weights.linears[at(role)], layer.lora[at(role)], x,
                       saved.linears[at(role)]);
}

ggml_tensor* backward(Graph& graph, const LayerContext& layer, LinearRole role,
                      const LayerSaved& saved, ggml_tensor* dy) {
  return linearBackward(graph, layer.weights.linears[at(role)], layer.lora[at(role)],
                        saved.linears[at(role)], dy);
}

AttentionShape shapeOf(const HyperParameters& p) {
  return {p.headWidth, p.heads, p.keyValueHeads};
}

/** [headWidth · heads, T] as [headWidth, heads, T]. */
ggml_tensor* splitHeads(Graph& graph, ggml_tensor* x, int headWidth) {
  return ggml_reshape_3d(graph.context(), x, headWidth, x->ne[0] / headWidth, x->ne[1]);
}

ggml_tensor* joinHeads(Graph& graph, ggml_tensor* x) {
  return ggml_reshape_2d(graph.context(), x, x->ne[0] * x->ne[1], x->ne[2]);
}

/** Head norm (where the model has one) and rope. */
ggml_tensor* positioned(Graph& graph, const LayerContext& layer, ggml_tensor* gain,
                        ggml_tensor* heads) {
  if (gain != nullptr) {
    heads = rmsNormForward(graph, gain, layer.parameters.normEpsilon, heads);
  }
  return ropeForward(graph, layer.rope, heads);
}

ggml_tensor* positionedBackward(Graph& graph, const LayerContext& layer, ggml_tensor* gain,
                                ggml_tensor* raw, ggml_tensor* dy) {
  ggml_tensor* dx = ropeBackward(graph, layer.rope, dy);
  if (gain != nullptr) {
    dx = rmsNormBackward(graph, gain, layer.parameters.normEpsilon, raw, dx);
  }
  return joinHeads(graph, dx);
}

/** Attention and the gated MLP up to the input of the last matmul, [F, T]. */
ggml_tensor* forwardToGate(Graph& graph, const LayerContext& layer, ggml_tensor* x,
                           LayerSaved& saved) {
  const HyperParameters& p = layer.parameters;
  saved.x = x;
  ggml_tensor* normed = rmsNormForward(graph, layer.weights.attentionNorm, p.normEpsilon, x);
  ggml_tensor* query = forward(graph, layer, LinearRole::query, normed, saved);
  ggml_tensor* key = forward(graph, layer, LinearRole::key, normed, saved);
  ggml_tensor* value = forward(graph, layer, LinearRole::value, normed, saved);
  saved.queryRaw = splitHeads(graph, query, p.headWidth);
  saved.keyRaw = splitHeads(graph, key, p.headWidth);
  ggml_tensor* attended =
      attentionForward(graph, shapeOf(p), layer.batch,
                       positioned(graph, layer, layer.weights.queryNorm, saved.queryRaw),
                       positioned(graph, layer, layer.weights.keyNorm, saved.keyRaw),
                       splitHeads(graph, value, p.headWidth), saved.attention);
  ggml_tensor* projected = forward(graph, layer, LinearRole::output, attended, saved);
  saved.middle = ggml_add(graph.context(), x, projected);
  normed = rmsNormForward(graph, layer.weights.feedForwardNorm, p.normEpsilon, saved.middle);
  saved.gate = forward(graph, layer, LinearRole::gate, normed, saved);
  saved.up = forward(graph, layer, LinearRole::up, normed, saved);
  return gatedForward(graph, saved.gate, saved.up);
}

}  // namespace

ggml_tensor* layerForward(Graph& graph, const LayerContext& layer, ggml_tensor* x,
                          LayerSaved& saved) {
  ggml_tensor* gated = forwardToGate(graph, layer, x, saved);
  ggml_tensor* down = forward(graph, layer, LinearRole::down, gated, saved);
  return ggml_add(graph.context(), saved.middle, down);
}

void layerSave(Graph& graph, const LayerContext& layer, ggml_tensor* x, LayerSaved& saved) {
  ggml_tensor* gated = forwardToGate(graph, layer, x, saved);
  linearSave(graph, layer.lora[at(LinearRole::down)], gated, saved.linears[at(LinearRole::down)]);
}

ggml_tensor* layerBackward(Graph& graph, const LayerContext& layer, const LayerSaved& saved,
                           ggml_tensor* dy) {
  ggml_context* context = graph.context();
  const HyperParameters& p = layer.parameters;
  ggml_tensor* dGated = backward(graph, layer, LinearRole::down, saved, dy);
  const GatedGradients gated = gatedBackward(graph, saved.gate, saved.up, dGated);
  ggml_tensor* dNormed =
      ggml_add(context, backward(graph, layer, LinearRole::gate, saved, gated.gate),
               backward(graph, layer, LinearRole::up, saved, gated.up));
  ggml_tensor* dMiddle = ggml_add(
      context, dy,
      rmsNormBackward(graph, layer.weights.feedForwardNorm, p.normEpsilon, saved.middle, dNormed));
  ggml_tensor* dAttended = backward(graph, layer, LinearRole::output, saved, dMiddle);
  const AttentionGradients inner =
      attentionBackward(graph, shapeOf(p), layer.batch, saved.attention, dAttended);
  ggml_tensor* dQuery =
      positionedBackward(graph, layer, layer.weights.queryNorm, saved.queryRaw, inner.query);
  ggml_tensor* dKey =
      positionedBackward(graph, layer, layer.weights.keyNorm, saved.keyRaw, inner.key);
  dNormed = ggml_add(context, backward(graph, layer, LinearRole::query, saved, dQuery),
                     backward(graph, layer, LinearRole::key, saved, dKey));
  dNormed =
      ggml_add(context, dNormed,
               backward(graph, layer, LinearRole::value, saved, joinHeads(graph, inner.value)));
  return ggml_add(
      context, dMiddle,
      rmsNormBackward(graph, layer.weights.attentionNorm, p.normEpsilon, saved.x, dNormed));
}

}  // namespace preflexor
