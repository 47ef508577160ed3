// Implementation of attention.hpp. Notation: Tq and Tk are the numbers of queries and keys of a
// block, G the number of query heads that share a key/value head.
#include "blocks/attention.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "multiply.hpp"

namespace preflexor {
namespace {

constexpr int64_t queryBlock = 128;

/** A run of a block's keys: where they lie, and from which column of the scores on. */
struct KeyPart {
  TokenRange tokens;
  int64_t column;
};

std::array<KeyPart, 2> partsOf(const AttentionBlock& block) {
  return {{{block.parentKeys, 0}, {block.ownKeys, block.parentKeys.count}}};
}

int64_t keysOf(const AttentionBlock& block) {
  return block.parentKeys.count + block.ownKeys.count;
}

/** Tokens of x [width, heads, T] as a view [width, tokens, heads]. */
ggml_tensor* tokensOf(ggml_context* context, ggml_tensor* x, const TokenRange& range) {
  return ggml_view_3d(context, x, x->ne[0], range.count, x->ne[1], x->nb[2], x->nb[1],
                      static_cast<size_t>(range.first) * x->nb[2]);
}

/** Columns of scores [Tk, Tq, heads] that belong to a part. */
ggml_tensor* columnsOf(ggml_context* context, ggml_tensor* x, const KeyPart& part) {
  return ggml_view_3d(context, x, part.tokens.count, x->ne[1], x->ne[2], x->nb[1], x->nb[2],
                      static_cast<size_t>(part.column) * sizeof(float));
}

/** Head `member` of every group of x [width, tokens, heads]: [width, tokens, heads / G]. */
ggml_tensor* memberOf(ggml_context* context, ggml_tensor* x, int64_t member, int64_t group) {
  return ggml_view_3d(context, x, x->ne[0], x->ne[1], x->ne[2] / group, x->nb[1],
                      static_cast<size_t>(group) * x->nb[2],
                      static_cast<size_t>(member) * x->nb[2]);
}

/** The place of a token range in [width, heads, T]. */
Place placeOf(const TokenRange& range, int64_t width, int64_t heads) {
  return {range.first * width * heads, width * heads, width};
}

/** The place of a part's columns in scores [Tk, Tq, heads]. */
Place placeOf(const KeyPart& part, const AttentionBlock& block) {
  return {part.column, keysOf(block), keysOf(block) * block.queries.count};
}

ggml_tensor* empty(ggml_context* context, int64_t ne0, int64_t ne1, int64_t ne2) {
  return ggml_new_tensor_3d(context, GGML_TYPE_F32, ne0, ne1, ne2);
}

ggml_tensor* zeros(ggml_context* context, int64_t ne0, int64_t ne1, int64_t ne2) {
  return ggml_fill_inplace(context, empty(context, ne0, ne1, ne2), 0.0F);
}

/** The blocks of all segments, without weights. */
std::vector<AttentionBlock> makeBlocks(const PackedBatch& batch, int64_t window) {
  std::vector<AttentionBlock> blocks;
  for (const Segment& segment : batch.segments) {
    const Segment none;
    const Segment& parent =
        segment.parent < 0 ? none : batch.segments[static_cast<size_t>(segment.parent)];
    for (int64_t first = 0; first < segment.length; first += queryBlock) {
      const int64_t position = parent.length + first;
      const int64_t lowest = window == 0 ? 0 : std::max<int64_t>(0, position - window + 1);
      const int64_t fromParent = std::min(lowest, parent.length);
      const int64_t fromOwn = lowest - fromParent;
      const int64_t queries = std::min(queryBlock, segment.length - first);
      blocks.push_back({{segment.start + first, queries},
                        {parent.start + fromParent, parent.length - fromParent},
                        {segment.start + fromOwn, first + queries - fromOwn},
                        position - lowest,
                        nullptr});
    }
  }
  return blocks;
}

/** −∞ where a query does not see a key, else 0: [Tk, Tq]. */
ggml_tensor* windowMask(Graph& graph, const AttentionBlock& block, int64_t window) {
  const int64_t keys = keysOf(block);
  std::vector<float> mask(static_cast<size_t>(keys * block.queries.count));
  for (int64_t query = 0; query < block.queries.count; ++query) {
    for (int64_t key = 0; key < keys; ++key) {
      const int64_t distance = block.past + query - key;
      const bool seen = distance >= 0 && distance < window;
      mask[static_cast<size_t>(query * keys + key)] =
          seen ? 0.0F : -std::numeric_limits<float>::infinity();
    }
  }
  return graph.input("window", *graph.own(mask), keys, block.queries.count);
}

/** Softmax of the scores over the keys that each query sees. */
ggml_tensor* weigh(Graph& graph, const AttentionShape& shape, const AttentionBlock& block,
                   ggml_tensor* scores) {
  ggml_context* context = graph.context();
  if (shape.window > 0 && keysOf(block) > shape.window) {
    return ggml_soft_max_ext_inplace(context, scores, windowMask(graph, block, shape.window),
                                     shape.scale, 0);
  }
  scores = ggml_diag_mask_inf_inplace(context, scores, static_cast<int>(block.past));
  return ggml_soft_max_ext_inplace(context, scores, nullptr, shape.scale, 0);
}

/** d(scores) of d(softmax of the scaled scores): scale · y · (dy − Σ y dy). */
ggml_tensor* softmaxBack(Graph& graph, const AttentionShape& shape, ggml_tensor* dy,
                         ggml_tensor* y) {
  ggml_context* context = graph.context();
  ggml_tensor* dx = ggml_soft_max_ext_back(context, dy, y, shape.scale, 0);
  if (graph.backend().supports(dx)) return dx;
  ggml_tensor* along = ggml_sum_rows(context, ggml_mul(context, y, dy));
  ggml_tensor* product = ggml_mul(context, ggml_sub(context, dy, along), y);
  return ggml_scale(context, product, shape.scale);
}

/** What a block's backward pass reads and adds to. */
struct BlockGradients {
  ggml_tensor* dy;  ///< of the block's queries, [headWidth, Tq, heads]
  AttentionGradients sums;
};

/** Adds what a part's keys and values get: one product for each head of a group. */
void addKeyGradients(Graph& graph, const AttentionShape& shape, const AttentionSaved& saved,
                     const AttentionBlock& block, const KeyPart& part, ggml_tensor* dScores,
                     BlockGradients& gradients) {
  ggml_context* context = graph.context();
  const int64_t group = shape.heads / shape.keyValueHeads;
  const Place place = placeOf(part.tokens, shape.headWidth, shape.keyValueHeads);
  ggml_tensor* queries = tokensOf(context, saved.query, block.queries);
  ggml_tensor* columns = columnsOf(context, dScores, part);
  ggml_tensor* weights = columnsOf(context, block.weights, part);
  AttentionGradients& sums = gradients.sums;
  for (int64_t member = 0; member < group; ++member) {
    const auto turnedMember = [&](ggml_tensor* x) {
      return turned(graph, memberOf(context, x, member, group));
    };
    sums.key = multiplyInto(graph, sums.key, place, Writing::add, turnedMember(queries),
                            turnedMember(columns));
    sums.value = multiplyInto(graph, sums.value, place, Writing::add, turnedMember(gradients.dy),
                              turnedMember(weights));
  }
}

/** d(scores) of a block, [Tk, Tq, heads]. */
ggml_tensor* scoreGradients(Graph& graph, const AttentionShape& shape, const AttentionSaved& saved,
                            const AttentionBlock& block, ggml_tensor* dy) {
  ggml_context* context = graph.context();
  ggml_tensor* dWeights = empty(context, keysOf(block), block.queries.count, shape.heads);
  for (const KeyPart& part : partsOf(block)) {
    if (part.tokens.count == 0) continue;
    dWeights = multiplyInto(graph, dWeights, placeOf(part, block), Writing::replace,
                            tokensOf(context, saved.value, part.tokens), dy);
  }
  return softmaxBack(graph, shape, dWeights, block.weights);
}

}  // namespace

ggml_tensor* attentionForward(Graph& graph, const AttentionShape& shape, const PackedBatch& batch,
                              ggml_tensor* query, ggml_tensor* key, ggml_tensor* value,
                              AttentionSaved& saved) {
  ggml_context* context = graph.context();
  saved = {query, key, value, makeBlocks(batch, shape.window)};
  ggml_tensor* y = empty(context, shape.headWidth, shape.heads, batch.size());
  for (AttentionBlock& block : saved.blocks) {
    ggml_tensor* queries = tokensOf(context, query, block.queries);
    ggml_tensor* scores = empty(context, keysOf(block), block.queries.count, shape.heads);
    for (const KeyPart& part : partsOf(block)) {
      if (part.tokens.count == 0) continue;
      scores = multiplyInto(graph, scores, placeOf(part, block), Writing::replace,
                            tokensOf(context, key, part.tokens), queries);
    }
    block.weights = weigh(graph, shape, block, scores);
    Writing writing = Writing::replace;
    for (const KeyPart& part : partsOf(block)) {
      if (part.tokens.count == 0) continue;
      y = multiplyInto(graph, y, placeOf(block.queries, shape.headWidth, shape.heads), writing,
                       turned(graph, tokensOf(context, value, part.tokens)),
                       columnsOf(context, block.weights, part));
      writing = Writing::add;
    }
  }
  return ggml_reshape_2d(context, y, shape.headWidth * shape.heads, batch.size());
}

AttentionGradients attentionBackward(Graph& graph, const AttentionShape& shape,
                                     const AttentionSaved& saved, ggml_tensor* dy) {
  ggml_context* context = graph.context();
  const int64_t tokens = dy->ne[1];
  ggml_tensor* perHead = ggml_reshape_3d(context, dy, shape.headWidth, shape.heads, tokens);
  BlockGradients gradients{nullptr,
                           {empty(context, shape.headWidth, shape.heads, tokens),
                            zeros(context, shape.headWidth, shape.keyValueHeads, tokens),
                            zeros(context, shape.headWidth, shape.keyValueHeads, tokens)}};
  for (const AttentionBlock& block : saved.blocks) {
    gradients.dy = tokensOf(context, perHead, block.queries);
    ggml_tensor* dScores = scoreGradients(graph, shape, saved, block, gradients.dy);
    const Place place = placeOf(block.queries, shape.headWidth, shape.heads);
    Writing writing = Writing::replace;
    for (const KeyPart& part : partsOf(block)) {
      if (part.tokens.count == 0) continue;
      ggml_tensor* key = turned(graph, tokensOf(context, saved.key, part.tokens));
      gradients.sums.query = multiplyInto(graph, gradients.sums.query, place, writing, key,
                                          columnsOf(context, dScores, part));
      writing = Writing::add;
      addKeyGradients(graph, shape, saved, block, part, dScores, gradients);
    }
  }
  return gradients.sums;
}

size_t attentionNodes(const AttentionShape& shape, const PackedBatch& batch) {
  const size_t blocks = makeBlocks(batch, shape.window).size();
  const auto group = static_cast<size_t>(shape.heads / shape.keyValueHeads);
  // Per key part: products with their views, and ggml's copies of what is not contiguous.
  return blocks * (32 + 2 * (24 + 20 * group));
}

}  // namespace preflexor
