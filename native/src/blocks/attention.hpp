// Causal attention with grouped heads over packed segments: each segment sees its parent wholly and
// itself causally, up to a window where the layer has one. Queries go in blocks, so that keys after
// a block (or before its window) are never touched.
#pragma once

#include "batch.hpp"
#include "graph.hpp"

namespace preflexor {

struct AttentionShape {
  int64_t headWidth;
  int64_t heads;
  int64_t keyValueHeads;
  float scale;         ///< of the scores
  int64_t window = 0;  ///< a query sees the last `window` positions, itself included; 0: all
};

/** Neighbouring tokens: `first` on the token axis, `count` of them. */
struct TokenRange {
  int64_t first = 0;
  int64_t count = 0;
};

/** One block of queries and the keys that it sees, kept for the backward pass. */
struct AttentionBlock {
  TokenRange queries;
  TokenRange parentKeys;  ///< may be empty
  TokenRange ownKeys;
  int64_t past;          ///< keys before the first query's own
  ggml_tensor* weights;  ///< softmax, [keys, queries, heads]: parent's keys, then own
};

struct AttentionSaved {
  ggml_tensor* query = nullptr;  ///< [headWidth, heads, T]
  ggml_tensor* key = nullptr;    ///< [headWidth, keyValueHeads, T]
  ggml_tensor* value = nullptr;  ///< [headWidth, keyValueHeads, T]
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
                                     const AttentionSaved& saved, ggml_tensor* dy);

/** Room for the operations of both passes over a batch. */
size_t attentionNodes(const AttentionShape& shape, const PackedBatch& batch);

}  // namespace preflexor
