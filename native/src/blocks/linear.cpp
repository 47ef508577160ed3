// Implementation of linear.hpp.
#include "blocks/linear.hpp"

namespace preflexor {
namespace {

ggml_tensor* turn(ggml_context* context, ggml_tensor* matrix) {
  return ggml_cont(context, ggml_transpose(context, matrix));
}

}  // namespace

ggml_tensor* linearForward(Graph& graph, const LayerWeights::Linear& weights,
                           const LoraTensors* lora, ggml_tensor* x, LinearSaved& saved) {
  ggml_context* context = graph.context();
  linearSave(graph, lora, x, saved);
  ggml_tensor* y = ggml_mul_mat(context, weights.weight, x);
  ggml_format_name(y, "%s.y", weights.weight->name);
  if (weights.bias != nullptr) y = ggml_add(context, y, weights.bias);
  if (lora != nullptr) {
    ggml_tensor* b = turn(context, lora->bt);
    y = ggml_add(context, y, ggml_mul_mat(context, b, saved.scaled));
  }
  return y;
}

void linearSave(Graph& graph, const LoraTensors* lora, ggml_tensor* x, LinearSaved& saved) {
  ggml_context* context = graph.context();
  saved.x = x;
  if (lora != nullptr) {
    saved.scaled = ggml_scale(context, ggml_mul_mat(context, lora->a, x), lora->scale);
  }
}

ggml_tensor* linearBackward(Graph& graph, const LayerWeights::Linear& weights,
                            const LoraTensors* lora, const LinearSaved& saved, ggml_tensor* dy) {
  ggml_context* context = graph.context();
  ggml_tensor* dx = ggml_mul_mat(context, weights.transposed, dy);
  ggml_format_name(dx, "%s.dx", weights.weight->name);
  if (lora == nullptr) return dx;
  ggml_tensor* dScaled = ggml_scale(context, ggml_mul_mat(context, lora->bt, dy), lora->scale);
  ggml_tensor* dA = ggml_out_prod(context, saved.x, dScaled);
  ggml_tensor* dBt = ggml_out_prod(context, dy, saved.scaled);
  graph.require(ggml_add_inplace(context, lora->gradientA, dA));
  graph.require(ggml_add_inplace(context, lora->gradientBt, dBt));
  return ggml_add(context, dx, ggml_mul_mat(context, turn(context, lora->a), dScaled));
}

}  // namespace preflexor
