// Implementation of gatedMlp.hpp. GELU is its approximation by tanh, out of plain operations: ggml
// has no backward pass for it, and its forward pass on the CPU looks values up in half precision.
#include "blocks/gatedMlp.hpp"

namespace preflexor {
namespace {

constexpr float root = 0.797884560802865F;  // √(2/π)
constexpr float cubic = 0.044715F;

/** t = tanh(√(2/π) (x + c x³)). */
ggml_tensor* geluTanh(ggml_context* context, ggml_tensor* x) {
  ggml_tensor* inner = ggml_scale_bias(context, ggml_sqr(context, x), root * cubic, root);
  return ggml_tanh_inplace(context, ggml_mul_inplace(context, inner, x));
}

/** x (1 + t) / 2. */
ggml_tensor* gelu(ggml_context* context, ggml_tensor* x, ggml_tensor* tanh) {
  return ggml_mul_inplace(context, ggml_scale_bias(context, tanh, 0.5F, 0.5F), x);
}

/** (1 + t) / 2 + x (1 − t²) √(2/π) (1 + 3 c x²) / 2. */
ggml_tensor* geluSlope(ggml_context* context, ggml_tensor* x, ggml_tensor* tanh) {
  ggml_tensor* inner =
      ggml_scale_bias(context, ggml_sqr(context, x), 1.5F * root * cubic, 0.5F * root);
  ggml_tensor* bend = ggml_scale_bias(context, ggml_sqr(context, tanh), -1.0F, 1.0F);
  inner = ggml_mul_inplace(context, ggml_mul_inplace(context, inner, x), bend);
  return ggml_add_inplace(context, inner, ggml_scale_bias(context, tanh, 0.5F, 0.5F));
}

/** dy σ(x) (1 + x (1 − σ(x))). */
ggml_tensor* siluBack(Graph& graph, ggml_tensor* dy, ggml_tensor* x) {
  ggml_context* context = graph.context();
  ggml_tensor* dx = ggml_silu_back(context, dy, x);
  if (graph.backend().supports(dx)) return dx;
  ggml_tensor* sigmoid = ggml_sigmoid(context, x);
  ggml_tensor* rest = ggml_scale_bias(context, sigmoid, -1.0F, 1.0F);
  ggml_tensor* slope = ggml_scale_bias(context, ggml_mul(context, rest, x), 1.0F, 1.0F);
  return ggml_mul(context, ggml_mul(context, slope, sigmoid), dy);
}

}  // namespace

ggml_tensor* gatedForward(Graph& graph, Activation activation, ggml_tensor* gate, ggml_tensor* up) {
  ggml_context* context = graph.context();
  ggml_tensor* y =
      activation == Activation::silu
          ? ggml_swiglu_split(context, gate, up)
          : ggml_mul_inplace(context, gelu(context, gate, geluTanh(context, gate)), up);
  ggml_set_name(y, "gated.y");
  return y;
}

GatedGradients gatedBackward(Graph& graph, Activation activation, ggml_tensor* gate,
                             ggml_tensor* up, ggml_tensor* dy) {
  ggml_context* context = graph.context();
  ggml_tensor* dActivation = ggml_mul(context, dy, up);
  if (activation == Activation::gelu) {
    ggml_tensor* tanh = geluTanh(context, gate);
    ggml_tensor* dUp = ggml_mul_inplace(context, gelu(context, gate, tanh), dy);
    return {ggml_mul_inplace(context, dActivation, geluSlope(context, gate, tanh)), dUp};
  }
  // swiglu(gate, dy) is silu(gate) · dy in one pass.
  ggml_tensor* dUp = ggml_swiglu_split(context, gate, dy);
  return {siluBack(graph, dActivation, gate), dUp};
}

}  // namespace preflexor
