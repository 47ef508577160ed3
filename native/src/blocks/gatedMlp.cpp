// Implementation of gatedMlp.hpp.
#include "blocks/gatedMlp.hpp"

namespace preflexor {

ggml_tensor* gatedForward(Graph& graph, ggml_tensor* gate, ggml_tensor* up) {
  ggml_tensor* y = ggml_swiglu_split(graph.context(), gate, up);
  ggml_set_name(y, "gated.y");
  return y;
}

GatedGradients gatedBackward(Graph& graph, ggml_tensor* gate, ggml_tensor* up, ggml_tensor* dy) {
  ggml_context* context = graph.context();
  // swiglu(gate, dy) is silu(gate) · dy in one pass.
  ggml_tensor* dUp = ggml_swiglu_split(context, gate, dy);
  ggml_tensor* dGate = ggml_silu_back(context, ggml_mul(context, dy, up), gate);
  return {dGate, dUp};
}

}  // namespace preflexor
