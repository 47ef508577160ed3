// Implementation of rmsNorm.hpp.
#include "blocks/rmsNorm.hpp"

namespace preflexor {
namespace {

/** With s = mean(x²) + ε: dx = (dy − x Σ(x dy) / (n s)) / √s, for devices without the operation. */
ggml_tensor* composed(ggml_context* context, float epsilon, ggml_tensor* x, ggml_tensor* dy) {
  const auto width = static_cast<float>(x->ne[0]);
  ggml_tensor* squares = ggml_sum_rows(context, ggml_sqr(context, x));
  ggml_tensor* s = ggml_scale_bias(context, squares, 1.0F / width, epsilon);
  ggml_tensor* along = ggml_sum_rows(context, ggml_mul(context, x, dy));
  ggml_tensor* share = ggml_div(context, along, ggml_scale(context, s, width));
  ggml_tensor* rest = ggml_sub(context, dy, ggml_mul(context, x, share));
  return ggml_div(context, rest, ggml_sqrt(context, s));
}

}  // namespace

ggml_tensor* rmsNormForward(Graph& graph, ggml_tensor* gain, float epsilon, ggml_tensor* x) {
  ggml_context* context = graph.context();
  ggml_tensor* y = ggml_mul(context, ggml_rms_norm(context, x, epsilon), gain);
  ggml_format_name(y, "%s.y", gain->name);
  return y;
}

ggml_tensor* rmsNormBackward(Graph& graph, ggml_tensor* gain, float epsilon, ggml_tensor* x,
                             ggml_tensor* dy) {
  ggml_context* context = graph.context();
  ggml_tensor* dNormed = ggml_mul(context, dy, gain);
  ggml_tensor* dx = ggml_rms_norm_back(context, dNormed, x, epsilon);
  return graph.backend().supports(dx) ? dx : composed(context, epsilon, x, dNormed);
}

}  // namespace preflexor
