// Root-mean-square norm over the fastest axis with a frozen gain: y = g x / sqrt(mean(x²) + ε).
#pragma once

#include "graph.hpp"

namespace preflexor {

/** y of x, same shape; `gain` has the length of the fastest axis. */
ggml_tensor* rmsNormForward(Graph& graph, ggml_tensor* gain, float epsilon, ggml_tensor* x);

/** dx of dy, given the forward pass's x; all of one shape, contiguous. */
ggml_tensor* rmsNormBackward(Graph& graph, ggml_tensor* gain, float epsilon, ggml_tensor* x,
                             ggml_tensor* dy);

}  // namespace preflexor
