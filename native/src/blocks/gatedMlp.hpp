// The gate of the MLP: y = silu(gate) · up, element by element.
#pragma once

#include "graph.hpp"

namespace preflexor {

struct GatedGradients {
  ggml_tensor* gate;
  ggml_tensor* up;
};

/** y of gate and up, all [F, T]. */
ggml_tensor* gatedForward(Graph& graph, ggml_tensor* gate, ggml_tensor* up);

/** d gate = dy · up · silu′(gate), d up = dy · silu(gate); all [F, T]. */
GatedGradients gatedBackward(Graph& graph, ggml_tensor* gate, ggml_tensor* up, ggml_tensor* dy);

}  // namespace preflexor
