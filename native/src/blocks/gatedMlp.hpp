// The gate of the MLP: y = f(gate) · up, element by element, f being SiLU or GELU.
#pragma once

#include "graph.hpp"
#include "model.hpp"

namespace preflexor {

struct GatedGradients {
  ggml_tensor* gate;
  ggml_tensor* up;
};

/** y of gate and up, all [F, T]. */
ggml_tensor* gatedForward(Graph& graph, Activation activation, ggml_tensor* gate, ggml_tensor* up);

/** d gate = dy · up · f′(gate), d up = dy · f(gate); all [F, T]. */
GatedGradients gatedBackward(Graph& graph, Activation activation, ggml_tensor* gate,
                             ggml_tensor* up, ggml_tensor* dy);

}  // namespace preflexor
