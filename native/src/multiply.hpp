// Matrix products in a graph: by the BLAS library where there is one and both sides are F32 in host
// memory, else by ggml's own operations. Takes transposed and strided views as they are, so that
// nobody turns or gathers a matrix by hand.
#pragma once

#include "graph.hpp"

namespace preflexor {

/**
 * y [M, N, H] of a [K, M, H′] and b [K, N, H] as ggml_mul_mat computes it: y = aᵀ b over the
 * fastest axis, H a multiple of H′. Either may be a view with rows apart, or turned().
 */
ggml_tensor* multiply(Graph& graph, ggml_tensor* a, ggml_tensor* b);

/** Where a product goes inside of a larger tensor, in elements. */
struct Place {
  int64_t offset = 0;
  int64_t rowStride = 0;   ///< from one of the N rows to the next
  int64_t headStride = 0;  ///< from one of the H matrices to the next
};

enum class Writing { replace, add };

/** Writes the product into `target` [any shape, F32]. @returns `target` after that */
ggml_tensor* multiplyInto(Graph& graph, ggml_tensor* target, const Place& place, Writing writing,
                          ggml_tensor* a, ggml_tensor* b);

/** sum [M, N] += a b, in place. @returns `sum` after that */
ggml_tensor* multiplyAdd(Graph& graph, ggml_tensor* sum, ggml_tensor* a, ggml_tensor* b);

/** x with its two fastest axes swapped, without moving anything. */
ggml_tensor* turned(Graph& graph, ggml_tensor* x);

}  // namespace preflexor
