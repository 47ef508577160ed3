// Rotary positions: turns pairs of a head's values by angles that grow with the token's position.
// A rotation's backward pass is the rotation back.
#pragma once

#include "graph.hpp"
#include "model.hpp"

namespace preflexor {

struct RopeInputs {
  const HyperParameters* parameters = nullptr;
  bool local = false;                ///< a layer with a window, which has a base of its own
  ggml_tensor* positions = nullptr;  ///< [T] I32
  ggml_tensor* factors = nullptr;    ///< Llama 3's frequency divisors, F32, or null
};

/** y of x, both [headWidth, heads, T]. */
ggml_tensor* ropeForward(Graph& graph, const RopeInputs& inputs, ggml_tensor* x);

/** dx of dy, both [headWidth, heads, T]. */
ggml_tensor* ropeBackward(Graph& graph, const RopeInputs& inputs, ggml_tensor* dy);

}  // namespace preflexor
