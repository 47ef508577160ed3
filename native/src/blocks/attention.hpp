// Causal attention with grouped heads over packed segments: each segment sees its parent wholly and
// itself causally. Queries go in blocks, so that keys after a block are never touched, and all
// lengths are padded to 16, because ggml's fast matmul asks for that.
#pragma once

#include "batch.hpp"
#include "graph.hpp"

namespace preflexor {

struct AttentionShape {
  int64_t headWidth;
  int64_t heads;
  int64_t keyValueHeads;
};

/** One block of queries, kept for the backward pass; lengths with padding. */
struct AttentionBlock {
  const Segment* segment;
  int64_t firstQuery;    ///< on the token axis
  int64_t queries;       ///< without padding
  int64_t parentKeys;    ///< keys of the parent segment
  int64_t ownKeys;       ///< keys of the segment itself
  ggml_tensor* query;    ///< [headWidth, Tq, heads]
  ggml_tensor* key;      ///< [headWidth, Tk, keyValueHeads]
  ggml_tensor* value;    ///< [headWidth, Tk, keyValueHeads]
  ggml_tensor* weights;  ///< softmax, [Tk, Tq, heads]
};

struct AttentionSaved {
  std::vector<AttentionBlock> blocks;
};

struct AttentionGradients {
  ggml_tensor* query;  ///< [headWidth, heads, T]
  ggml_tensor* key;    ///< [headWidth, keyValueHeads, T]
  ggml_tensor* value;  ///< [headWidth, keyValueHeads, T]
};

/**
 * @param query [headWidth, heads, T] @param key, value [headWidth, keyValueHeads, T]
 * @returns [headWidth · heads, T]
 */
ggml_tensor* attentionForward(Graph& graph, const AttentionShape& shape, const PackedBatch& batch,
                              ggml_tensor* query, ggml_tensor* key, ggml_tensor* value,
                              AttentionSaved& saved);

/** Gradients of the three inputs, given dy [headWidth · heads, T]. */
AttentionGradients attentionBackward(Graph& graph, const AttentionShape& shape,
                                     const PackedBatch& batch, const AttentionSaved& saved,
                                     ggml_tensor* dy);

}  // namespace preflexor
