// A linear map with a low-rank adapter: y = W x + b + s B (A x). W and b are frozen.
#pragma once

#include <ggml.h>

#include "frozenWeights.hpp"
#include "graph.hpp"

namespace preflexor {

/**
 * The adapter of one linear map. B is kept transposed, as ggml's out_prod then writes its gradient
 * along the long axis (7 times faster).
 */
struct LoraTensors {
  ggml_tensor* a = nullptr;           ///< A, [in, R]
  ggml_tensor* bt = nullptr;          ///< Bᵀ, [out, R]
  ggml_tensor* gradientA = nullptr;   ///< [in, R], added to
  ggml_tensor* gradientBt = nullptr;  ///< [out, R], added to
  float scale = 0;                    ///< s = α / R
};

/** What the backward pass needs of the forward pass. */
struct LinearSaved {
  ggml_tensor* x = nullptr;       ///< what the adapter read, after dropout, [in, T]
  ggml_tensor* mask = nullptr;    ///< dropout's factors, [in, T], or null
  ggml_tensor* scaled = nullptr;  ///< s A x, [R, T]; null without an adapter
};

/** The adapter's part up to s A x; `lora` and `mask` may be null. */
void linearSave(Graph& graph, const LoraTensors* lora, ggml_tensor* x, ggml_tensor* mask,
                LinearSaved& saved);

/** y [out, T] of x [in, T], after linearSave with the same. */
ggml_tensor* linearForward(Graph& graph, const LayerWeights::Linear& weights,
                           const LoraTensors* lora, ggml_tensor* x, const LinearSaved& saved);

/**
 * dx [in, T] of dy [out, T]; adds to the adapter's gradients:
 * dx = Wᵀ dy + s Aᵀ Bᵀ dy, dA = s (Bᵀ dy) xᵀ, dB = dy (s A x)ᵀ.
 */
ggml_tensor* linearBackward(Graph& graph, const LayerWeights::Linear& weights,
                            const LoraTensors* lora, const LinearSaved& saved, ggml_tensor* dy);

}  // namespace preflexor
