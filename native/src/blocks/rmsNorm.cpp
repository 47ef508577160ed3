// Implementation of rmsNorm.hpp.
#include "blocks/rmsNorm.hpp"

namespace preflexor {

ggml_tensor* rmsNormForward(Graph& graph, ggml_tensor* gain, float epsilon, ggml_tensor* x) {
  ggml_context* context = graph.context();
  ggml_tensor* y = ggml_mul(context, ggml_rms_norm(context, x, epsilon), gain);
  ggml_format_name(y, "%s.y", gain->name);
  return y;
}

ggml_tensor* rmsNormBackward(Graph& graph, ggml_tensor* gain, float epsilon, ggml_tensor* x,
                             ggml_tensor* dy) {
  ggml_context* context = graph.context();
  return ggml_rms_norm_back(context, ggml_mul(context, dy, gain), x, epsilon);
}

}  // namespace preflexor
