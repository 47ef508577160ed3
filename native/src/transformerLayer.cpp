// Implementation of transformerLayer.hpp.
#include "transformerLayer.hpp"

#include "blocks/gatedMlp.hpp"
#include "blocks/rmsNorm.hpp"

namespace preflexor {
namespace {

size_t at(LinearRole role) {
  return static_cast<size_t>(role);
}

/** Whether a role's output is needed again, and worth keeping. */
bool isSaved(LinearRole role, bool normAfterMlp) {
  return role != LinearRole::down || normAfterMlp;
}

ggml_tensor* dropoutMask(Graph& graph, const LayerContext& layer, LinearRole role,
                         const ggml_tensor* x) {
  if (!layer.dropout.active() || layer.lora[at(role)] == nullptr) return nullptr;
  const auto count = static_cast<size_t>(ggml_nelements(x));
  const auto* mask = graph.own(layer.dropout.mask(layer.index, role, count));
  return graph.input("dropout", *mask, x->ne[0], x->ne[1]);
}

/** A linear map, or, where its result was kept, only what its backward pass needs. */
ggml_tensor* apply(Graph& graph, const LayerContext& layer, LinearRole role, ggml_tensor* x,
                   const LayerKept& kept, LayerSaved& saved) {
  LinearSaved& own = saved.linears[at(role)];
  linearSave(graph, layer.lora[at(role)], x, dropoutMask(graph, layer, role, x), own);
  const std::vector<float>& output = kept.outputs[at(role)];
  ggml_tensor* y =
      output.empty()
          ? linearForward(graph, layer.weights.linears[at(role)], layer.lora[at(role)], x, own)
          : graph.input("kept", output, layer.weights.linears[at(role)].weight->ne[1], x->ne[1]);
  saved.outputs[at(role)] = y;
  return y;
}

ggml_tensor* backward(Graph& graph, const LayerContext& layer, LinearRole role,
                      const LayerSaved& saved, ggml_tensor* dy) {
  return linearBackward(graph, layer.weights.linears[at(role)], layer.lora[at(role)],
                        saved.linears[at(role)], dy);
}

/** [headWidth · heads, T] as [headWidth, heads, T]. */
ggml_tensor* splitHeads(Graph& graph, const LayerContext& layer, ggml_tensor* x) {
  const int64_t width = layer.parameters.headWidth;
  return ggml_reshape_3d(graph.context(), x, width, x->ne[0] / width, x->ne[1]);
}

ggml_tensor* joinHeads(Graph& graph, ggml_tensor* x) {
  return ggml_reshape_2d(graph.context(), x, x->ne[0] * x->ne[1], x->ne[2]);
}

/** The norm where the model has one. */
ggml_tensor* normed(Graph& graph, const LayerContext& layer, ggml_tensor* gain, ggml_tensor* x) {
  return gain == nullptr ? x : rmsNormForward(graph, gain, layer.parameters.normEpsilon, x);
}

ggml_tensor* normedBackward(Graph& graph, const LayerContext& layer, ggml_tensor* gain,
                            ggml_tensor* x, ggml_tensor* dy) {
  return gain == nullptr ? dy : rmsNormBackward(graph, gain, layer.parameters.normEpsilon, x, dy);
}

/** Head norm (where the model has one) and rope. */
ggml_tensor* positioned(Graph& graph, const LayerContext& layer, ggml_tensor* gain,
                        ggml_tensor* x) {
  return ropeForward(graph, layer.rope, normed(graph, layer, gain, splitHeads(graph, layer, x)));
}

ggml_tensor* positionedBackward(Graph& graph, const LayerContext& layer, ggml_tensor* gain,
                                ggml_tensor* raw, ggml_tensor* dy) {
  ggml_tensor* dx = ropeBackward(graph, layer.rope, dy);
  return joinHeads(graph, normedBackward(graph, layer, gain, splitHeads(graph, layer, raw), dx));
}

/** Attention and the gated MLP up to the input of the last matmul, [F, T]. */
ggml_tensor* forwardToGate(Graph& graph, const LayerContext& layer, ggml_tensor* x,
                           const LayerKept& kept, LayerSaved& saved) {
  const LayerWeights& weights = layer.weights;
  saved.x = x;
  ggml_tensor* input = normed(graph, layer, weights.attentionNorm, x);
  ggml_tensor* query = apply(graph, layer, LinearRole::query, input, kept, saved);
  ggml_tensor* key = apply(graph, layer, LinearRole::key, input, kept, saved);
  ggml_tensor* value = apply(graph, layer, LinearRole::value, input, kept, saved);
  ggml_tensor* attended =
      attentionForward(graph, attentionShape(layer.parameters, layer.index), layer.batch,
                       positioned(graph, layer, weights.queryNorm, query),
                       positioned(graph, layer, weights.keyNorm, key),
                       splitHeads(graph, layer, value), saved.attention);
  ggml_tensor* projected = apply(graph, layer, LinearRole::output, attended, kept, saved);
  saved.middle =
      ggml_add(graph.context(), x, normed(graph, layer, weights.attentionPostNorm, projected));
  input = normed(graph, layer, weights.feedForwardNorm, saved.middle);
  ggml_tensor* gate = apply(graph, layer, LinearRole::gate, input, kept, saved);
  ggml_tensor* up = apply(graph, layer, LinearRole::up, input, kept, saved);
  return gatedForward(graph, layer.parameters.activation, gate, up);
}

/** d(middle) of dy: through the MLP. */
ggml_tensor* mlpBackward(Graph& graph, const LayerContext& layer, const LayerSaved& saved,
                         ggml_tensor* dy) {
  ggml_context* context = graph.context();
  ggml_tensor* dDown = normedBackward(graph, layer, layer.weights.feedForwardPostNorm,
                                      saved.outputs[at(LinearRole::down)], dy);
  ggml_tensor* dGated = backward(graph, layer, LinearRole::down, saved, dDown);
  const GatedGradients gated =
      gatedBackward(graph, layer.parameters.activation, saved.outputs[at(LinearRole::gate)],
                    saved.outputs[at(LinearRole::up)], dGated);
  ggml_tensor* dNormed =
      ggml_add_inplace(context, backward(graph, layer, LinearRole::gate, saved, gated.gate),
                       backward(graph, layer, LinearRole::up, saved, gated.up));
  return ggml_add(
      context, dy,
      normedBackward(graph, layer, layer.weights.feedForwardNorm, saved.middle, dNormed));
}

/** dx of d(middle): through attention. */
ggml_tensor* attentionPartBackward(Graph& graph, const LayerContext& layer, const LayerSaved& saved,
                                   ggml_tensor* dMiddle) {
  ggml_context* context = graph.context();
  ggml_tensor* dProjected = normedBackward(graph, layer, layer.weights.attentionPostNorm,
                                           saved.outputs[at(LinearRole::output)], dMiddle);
  ggml_tensor* dAttended = backward(graph, layer, LinearRole::output, saved, dProjected);
  const AttentionGradients inner = attentionBackward(
      graph, attentionShape(layer.parameters, layer.index), saved.attention, dAttended);
  ggml_tensor* dQuery = positionedBackward(graph, layer, layer.weights.queryNorm,
                                           saved.outputs[at(LinearRole::query)], inner.query);
  ggml_tensor* dKey = positionedBackward(graph, layer, layer.weights.keyNorm,
                                         saved.outputs[at(LinearRole::key)], inner.key);
  ggml_tensor* dNormed =
      ggml_add_inplace(context, backward(graph, layer, LinearRole::query, saved, dQuery),
                       backward(graph, layer, LinearRole::key, saved, dKey));
  dNormed = ggml_add_inplace(
      context, dNormed,
      backward(graph, layer, LinearRole::value, saved, joinHeads(graph, inner.value)));
  return ggml_add(context, dMiddle,
                  normedBackward(graph, layer, layer.weights.attentionNorm, saved.x, dNormed));
}

}  // namespace

size_t LayerKept::bytes(const Model& model, int64_t tokens) {
  int64_t width = 0;
  for (const LinearRole role : allLinearRoles) {
    const bool normAfterMlp = model.layer(0).feedForwardPostNorm != nullptr;
    if (isSaved(role, normAfterMlp)) width += model.outputWidth(role);
  }
  return static_cast<size_t>(width * tokens) * sizeof(float);
}

AttentionShape attentionShape(const HyperParameters& p, int layer) {
  return {p.headWidth, p.heads, p.keyValueHeads, p.attentionScale,
          p.isLocal(layer) ? p.slidingWindow : 0};
}

size_t layerNodes(const HyperParameters& p, int layer, const PackedBatch& batch) {
  constexpr size_t withoutAttention = 1024;
  return withoutAttention + attentionNodes(attentionShape(p, layer), batch);
}

ggml_tensor* layerForward(Graph& graph, const LayerContext& layer, ggml_tensor* x,
                          LayerSaved& saved) {
  const LayerKept nothing;
  ggml_tensor* gated = forwardToGate(graph, layer, x, nothing, saved);
  ggml_tensor* down = apply(graph, layer, LinearRole::down, gated, nothing, saved);
  return ggml_add(graph.context(), saved.middle,
                  normed(graph, layer, layer.weights.feedForwardPostNorm, down));
}

void layerSave(Graph& graph, const LayerContext& layer, ggml_tensor* x, const LayerKept& kept,
               LayerSaved& saved) {
  ggml_tensor* gated = forwardToGate(graph, layer, x, kept, saved);
  if (layer.weights.feedForwardPostNorm != nullptr) {
    apply(graph, layer, LinearRole::down, gated, kept, saved);
    return;
  }
  linearSave(graph, layer.lora[at(LinearRole::down)], gated,
             dropoutMask(graph, layer, LinearRole::down, gated),
             saved.linears[at(LinearRole::down)]);
}

void markKept(Graph& graph, const LayerContext& layer, const LayerSaved& saved) {
  for (const LinearRole role : allLinearRoles) {
    if (isSaved(role, layer.weights.feedForwardPostNorm != nullptr)) {
      graph.output(saved.outputs[at(role)]);
    }
  }
}

LayerKept readKept(const LayerContext& layer, const LayerSaved& saved) {
  LayerKept kept;
  for (const LinearRole role : allLinearRoles) {
    if (isSaved(role, layer.weights.feedForwardPostNorm != nullptr)) {
      kept.outputs[at(role)] = readFloats(saved.outputs[at(role)]);
    }
  }
  return kept;
}

ggml_tensor* layerBackward(Graph& graph, const LayerContext& layer, const LayerSaved& saved,
                           ggml_tensor* dy) {
  ggml_tensor* dMiddle = mlpBackward(graph, layer, saved, dy);
  return attentionPartBackward(graph, layer, saved, dMiddle);
}

}  // namespace preflexor
