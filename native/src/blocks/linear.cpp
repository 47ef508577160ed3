// Implementation of linear.hpp.
#include "blocks/linear.hpp"

#include "multiply.hpp"

namespace preflexor {
void linearSave(Graph& graph, const LoraTensors* lora, ggml_tensor* x, ggml_tensor* mask,
                LinearSaved& saved) {
  if (lora == nullptr) return;
  ggml_context* context = graph.context();
  saved.mask = mask;
  saved.x = mask == nullptr ? x : ggml_mul(context, x, mask);
  saved.scaled = ggml_scale_inplace(context, multiply(graph, lora->a, saved.x), lora->scale);
}

ggml_tensor* linearForward(Graph& graph, const LayerWeights::Linear& weights,
                           const LoraTensors* lora, ggml_tensor* x, const LinearSaved& saved) {
  ggml_tensor* y = multiply(graph, weights.weight, x);
  ggml_format_name(y, "%s.y", weights.weight->name);
  if (lora != nullptr) y = multiplyAdd(graph, y, turned(graph, lora->bt), saved.scaled);
  if (weights.bias != nullptr) y = ggml_add_inplace(graph.context(), y, weights.bias);
  return y;
}

ggml_tensor* linearBackward(Graph& graph, const LayerWeights::Linear& weights,
                            const LoraTensors* lora, const LinearSaved& saved, ggml_tensor* dy) {
  ggml_tensor* dx = multiply(graph, turned(graph, weights.weight), dy);
  ggml_format_name(dx, "%s.dx", weights.weight->name);
  if (lora == nullptr) return dx;
  ggml_tensor* dScaled =
      ggml_scale_inplace(graph.context(), multiply(graph, lora->bt, dy), lora->scale);
  graph.require(
      multiplyAdd(graph, lora->gradientA, turned(graph, saved.x), turned(graph, dScaled)));
  graph.require(
      multiplyAdd(graph, lora->gradientBt, turned(graph, dy), turned(graph, saved.scaled)));
  ggml_tensor* a = turned(graph, lora->a);
  if (saved.mask == nullptr) return multiplyAdd(graph, dx, a, dScaled);
  ggml_context* context = graph.context();
  return ggml_add_inplace(context, dx,
                          ggml_mul_inplace(context, multiply(graph, a, dScaled), saved.mask));
}

}  // namespace preflexor
