// Implementation of rope.hpp.
#include "blocks/rope.hpp"

namespace preflexor {
namespace {

// YaRN's parameters, switched off: model.cpp refuses models that need them.
constexpr float noExtrapolation = 0;
constexpr float unitAttention = 1;
constexpr float betaFast = 32;
constexpr float betaSlow = 1;

int modeOf(const HyperParameters& parameters) {
  return parameters.ropePairsHalves ? GGML_ROPE_TYPE_NEOX : GGML_ROPE_TYPE_NORMAL;
}

float base(const RopeInputs& inputs) {
  return inputs.local ? inputs.parameters->localRopeBase : inputs.parameters->ropeBase;
}

float scale(const RopeInputs& inputs) {
  return inputs.local ? 1.0F : inputs.parameters->ropeScale;
}

}  // namespace

ggml_tensor* ropeForward(Graph& graph, const RopeInputs& inputs, ggml_tensor* x) {
  const HyperParameters& p = *inputs.parameters;
  return ggml_rope_ext(graph.context(), x, inputs.positions, inputs.factors, p.ropeDimensions,
                       modeOf(p), p.contextLength, base(inputs), scale(inputs), noExtrapolation,
                       unitAttention, betaFast, betaSlow);
}

ggml_tensor* ropeBackward(Graph& graph, const RopeInputs& inputs, ggml_tensor* dy) {
  const HyperParameters& p = *inputs.parameters;
  return ggml_rope_ext_back(graph.context(), dy, inputs.positions, inputs.factors, p.ropeDimensions,
                            modeOf(p), p.contextLength, base(inputs), scale(inputs),
                            noExtrapolation, unitAttention, betaFast, betaSlow);
}

}  // namespace preflexor
