// Implementation of attention.hpp. Notation: Tq and Tk are padded numbers of queries and keys, G
// the number of query heads that share a key/value head.
#include "blocks/attention.hpp"

#include <algorithm>
#include <cmath>

namespace preflexor {
namespace {

constexpr int64_t queryBlock = 128;
constexpr int64_t multiple = 16;

int64_t padded(int64_t count) {
  return (count + multiple - 1) / multiple * multiple;
}

/** Tokens [start, start + count) of x [width, heads, T] as a view [width, count, heads]. */
ggml_tensor* tokensOf(ggml_context* context, ggml_tensor* x, int64_t start, int64_t count) {
  return ggml_view_3d(context, x, x->ne[0], count, x->ne[1], x->nb[2], x->nb[1],
                      static_cast<size_t>(start) * x->nb[2]);
}

/** The view made contiguous and padded with zero tokens. */
ggml_tensor* contiguousPadded(ggml_context* context, ggml_tensor* view) {
  ggml_tensor* copy = ggml_is_contiguous(view) ? view : ggml_cont(context, view);
  const int64_t missing = padded(view->ne[1]) - view->ne[1];
  return missing == 0 ? copy : ggml_pad(context, copy, 0, static_cast<int>(missing), 0, 0);
}

/** Swaps the two fastest axes. */
ggml_tensor* turn(ggml_context* context, ggml_tensor* x) {
  return ggml_cont(context, ggml_permute(context, x, 1, 0, 2, 3));
}

/** The keys (or values) that a block sees: the parent's, then the segment's own. */
ggml_tensor* gather(ggml_context* context, const PackedBatch& batch, ggml_tensor* x,
                    const AttentionBlock& block) {
  ggml_tensor* own = tokensOf(context, x, block.segment->start, block.ownKeys);
  if (block.parentKeys == 0) return contiguousPadded(context, own);
  const Segment& parent = batch.segments[static_cast<size_t>(block.segment->parent)];
  ggml_tensor* before = tokensOf(context, x, parent.start, block.parentKeys);
  return contiguousPadded(context, ggml_concat(context, before, own, 1));
}

/** Adds tokens [first, first + count) of piece [width, Tk, heads] to sum [width, T, heads]. */
ggml_tensor* accumulate(ggml_context* context, ggml_tensor* sum, ggml_tensor* piece, int64_t first,
                        int64_t count, int64_t target) {
  ggml_tensor* part = ggml_view_3d(context, piece, piece->ne[0], count, piece->ne[2], piece->nb[1],
                                   piece->nb[2], static_cast<size_t>(first) * piece->nb[1]);
  return ggml_acc_inplace(context, sum, part, sum->nb[1], sum->nb[2], sum->nb[3],
                          static_cast<size_t>(target) * sum->nb[1]);
}

/** Adds the gradient of a block's keys (or values) where its tokens came from. */
ggml_tensor* scatter(ggml_context* context, const PackedBatch& batch, ggml_tensor* sum,
                     ggml_tensor* piece, const AttentionBlock& block) {
  if (block.parentKeys > 0) {
    const Segment& parent = batch.segments[static_cast<size_t>(block.segment->parent)];
    sum = accumulate(context, sum, piece, 0, block.parentKeys, parent.start);
  }
  return accumulate(context, sum, piece, block.parentKeys, block.ownKeys, block.segment->start);
}

/** Zeros of [width, T, heads]. */
ggml_tensor* zeros(ggml_context* context, int64_t width, int64_t tokens, int64_t heads) {
  return ggml_fill_inplace(context,
                           ggml_new_tensor_3d(context, GGML_TYPE_F32, width, tokens, heads), 0.0F);
}

/** [width, T, heads] back to [width, heads, T]. */
ggml_tensor* headsInside(ggml_context* context, ggml_tensor* x) {
  return ggml_cont(context, ggml_permute(context, x, 0, 2, 1, 3));
}

/**
 * Σ over the queries of all heads of a group: left [width, Tq, heads], right [Tk, Tq, heads] →
 * [width, Tk, keyValueHeads], as one matmul per group over Tq · G.
 */
ggml_tensor* contractQueries(ggml_context* context, const AttentionShape& shape, ggml_tensor* left,
                             ggml_tensor* right) {
  const int64_t group = shape.heads / shape.keyValueHeads;
  const int64_t rows = left->ne[1] * group;
  ggml_tensor* a = ggml_reshape_3d(context, left, left->ne[0], rows, shape.keyValueHeads);
  ggml_tensor* b = ggml_reshape_3d(context, right, right->ne[0], rows, shape.keyValueHeads);
  return ggml_mul_mat(context, turn(context, a), turn(context, b));
}

}  // namespace

ggml_tensor* attentionForward(Graph& graph, const AttentionShape& shape, const PackedBatch& batch,
                              ggml_tensor* query, ggml_tensor* key, ggml_tensor* value,
                              AttentionSaved& saved) {
  ggml_context* context = graph.context();
  const float scale = 1.0F / std::sqrt(static_cast<float>(shape.headWidth));
  ggml_tensor* sum = zeros(context, shape.headWidth, batch.size(), shape.heads);
  for (const Segment& segment : batch.segments) {
    const int64_t parentKeys =
        segment.parent < 0 ? 0 : batch.segments[static_cast<size_t>(segment.parent)].length;
    for (int64_t first = 0; first < segment.length; first += queryBlock) {
      AttentionBlock block{};
      block.segment = &segment;
      block.firstQuery = segment.start + first;
      block.queries = std::min(queryBlock, segment.length - first);
      block.parentKeys = parentKeys;
      block.ownKeys = first + block.queries;
      block.query =
          contiguousPadded(context, tokensOf(context, query, block.firstQuery, block.queries));
      block.key = gather(context, batch, key, block);
      block.value = gather(context, batch, value, block);
      ggml_tensor* scores = ggml_mul_mat(context, block.key, block.query);
      // Padding keys lie after every real query's own position, so the causal mask hides them.
      scores = ggml_diag_mask_inf_inplace(context, scores, static_cast<int>(parentKeys + first));
      block.weights = ggml_soft_max_ext_inplace(context, scores, nullptr, scale, 0);
      ggml_tensor* y = ggml_mul_mat(context, turn(context, block.value), block.weights);
      sum = accumulate(context, sum, y, 0, block.queries, block.firstQuery);
      saved.blocks.push_back(block);
    }
  }
  return ggml_reshape_2d(context, headsInside(context, sum), shape.headWidth * shape.heads,
                         batch.size());
}

AttentionGradients attentionBackward(Graph& graph, const AttentionShape& shape,
                                     const PackedBatch& batch, const AttentionSaved& saved,
                                     ggml_tensor* dy) {
  ggml_context* context = graph.context();
  const float scale = 1.0F / std::sqrt(static_cast<float>(shape.headWidth));
  ggml_tensor* perHead = ggml_reshape_3d(context, dy, shape.headWidth, shape.heads, batch.size());
  ggml_tensor* dQuery = zeros(context, shape.headWidth, batch.size(), shape.heads);
  ggml_tensor* dKey = zeros(context, shape.headWidth, batch.size(), shape.keyValueHeads);
  ggml_tensor* dValue = zeros(context, shape.headWidth, batch.size(), shape.keyValueHeads);
  for (const AttentionBlock& block : saved.blocks) {
    // Zero rows for padding queries: they add nothing anywhere.
    ggml_tensor* dyBlock =
        contiguousPadded(context, tokensOf(context, perHead, block.firstQuery, block.queries));
    ggml_tensor* dWeights = ggml_mul_mat(context, block.value, dyBlock);
    ggml_tensor* dScores = ggml_soft_max_ext_back(context, dWeights, block.weights, scale, 0);
    ggml_tensor* dQueryBlock = ggml_mul_mat(context, turn(context, block.key), dScores);
    dQuery = accumulate(context, dQuery, dQueryBlock, 0, block.queries, block.firstQuery);
    dKey =
        scatter(context, batch, dKey, contractQueries(context, shape, block.query, dScores), block);
    dValue = scatter(context, batch, dValue,
                     contractQueries(context, shape, dyBlock, block.weights), block);
  }
  return {headsInside(context, dQuery), headsInside(context, dKey), headsInside(context, dValue)};
}

}  // namespace preflexor
