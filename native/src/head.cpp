// Implementation of head.hpp. log p(label) = z_label − (z_max − log p_max), where p_max is the
// softmax at the largest logit: log of a small p would underflow.
#include "head.hpp"

#include <algorithm>
#include <cmath>

#include "multiply.hpp"

namespace preflexor {
namespace {

constexpr int64_t smallestChunk = 16;
constexpr int64_t largestChunk = 512;

float valueAt(const ggml_tensor* tensor, int64_t column, int64_t row) {
  float value = 0;
  const size_t offset =
      static_cast<size_t>(row) * tensor->nb[1] + static_cast<size_t>(column) * sizeof(float);
  ggml_backend_tensor_get(tensor, &value, offset, sizeof(float));
  return value;
}

/** The hidden states that the labels name, [D, count]. */
std::vector<float> rowsOf(const std::vector<float>& hidden, const Label* labels, int64_t count,
                          int64_t width) {
  std::vector<float> rows(static_cast<size_t>(width * count));
  for (int64_t index = 0; index < count; ++index) {
    std::copy_n(hidden.begin() + labels[index].row * width, width, rows.begin() + index * width);
  }
  return rows;
}

}  // namespace

Head::Head(Backend& backend, const Model& model, FrozenWeights& weights)
    : backend_(backend),
      weights_(weights),
      width_(model.parameters().width),
      vocabulary_(model.parameters().vocabulary),
      chunk_(std::clamp(logitsBytes / (vocabulary_ * int64_t{sizeof(float)}), smallestChunk,
                        largestChunk)),
      store_(2),
      logits_(store_.add("logits", GGML_TYPE_F32, vocabulary_, chunk_)),
      expected_(store_.add("expected head row", GGML_TYPE_F32, width_, chunk_)) {
  store_.place(backend);
}

HeadResult Head::evaluate(const std::vector<float>& normed, const std::vector<Label>& labels,
                          bool withGradients) {
  HeadResult result;
  const auto count = static_cast<int64_t>(labels.size());
  for (int64_t first = 0; first < count; first += chunk_) {
    evaluateChunk(normed, labels.data() + first, std::min(chunk_, count - first), withGradients,
                  result);
  }
  return result;
}

HeadResult Head::compare(const std::vector<float>& adapted, const std::vector<float>& frozen,
                         const std::vector<Label>& labels, bool withGradients) {
  HeadResult result;
  const auto count = static_cast<int64_t>(labels.size());
  // Two rows of logits for each label, and as much again while they are compared.
  const int64_t chunk = chunk_ / 4;
  for (int64_t first = 0; first < count; first += chunk) {
    const int64_t size = std::min(chunk, count - first);
    std::vector<float> hidden = rowsOf(adapted, labels.data() + first, size, width_);
    const std::vector<float> other = rowsOf(frozen, labels.data() + first, size, width_);
    hidden.insert(hidden.end(), other.begin(), other.end());
    compareChunk(hidden, size, withGradients, result);
  }
  return result;
}

void Head::evaluateChunk(const std::vector<float>& normed, const Label* labels, int64_t count,
                         bool withGradients, HeadResult& result) {
  const std::vector<float> hidden = rowsOf(normed, labels, count, width_);
  computeLogits(hidden, count);
  readLogProbabilities(labels, count, result);
  if (!withGradients) return;
  const std::vector<float> expected = expectedRows(count);
  for (int64_t index = 0; index < count; ++index) {
    const std::vector<float> own = weights_.headRow(labels[index].token);
    for (int64_t column = 0; column < width_; ++column) {
      result.unitGradients.push_back(own[static_cast<size_t>(column)] -
                                     expected[static_cast<size_t>(index * width_ + column)]);
    }
  }
}

void Head::computeLogits(const std::vector<float>& hidden, int64_t count) {
  for (int64_t first = 0; first < vocabulary_; first += FrozenWeights::headBlock) {
    Graph graph(backend_, 16);
    ggml_tensor* x = graph.input("hidden", hidden, width_, count);
    graph.require(multiplyInto(graph, logits_, {first, vocabulary_, vocabulary_ * chunk_},
                               Writing::replace, headBlock(graph, first), x));
    graph.compute();
  }
}

ggml_tensor* Head::headBlock(Graph& graph, int64_t first) {
  const int64_t rows = std::min(FrozenWeights::headBlock, vocabulary_ - first);
  ggml_tensor* stage = weights_.loadHead(first, rows);
  return ggml_view_2d(graph.context(), stage, width_, rows, stage->nb[1], 0);
}

void Head::readLogProbabilities(const Label* labels, int64_t count, HeadResult& result) {
  std::vector<double> own;
  for (int64_t index = 0; index < count; ++index) {
    own.push_back(valueAt(logits_, labels[index].token, index));
  }
  const std::vector<double> logSums = normalise(count);
  for (size_t index = 0; index < own.size(); ++index) {
    result.values.push_back(own[index] - logSums[index]);
  }
}

ggml_tensor* Head::logitRows(Graph& graph, int64_t first, int64_t count) {
  return ggml_view_2d(graph.context(), logits_, vocabulary_, count, logits_->nb[1],
                      static_cast<size_t>(first) * logits_->nb[1]);
}

std::vector<double> Head::normalise(int64_t count) {
  std::vector<int32_t> largest(static_cast<size_t>(count));
  {
    Graph graph(backend_, 8);
    ggml_tensor* positions = ggml_argmax(graph.context(), logitRows(graph, 0, count));
    graph.output(positions);
    graph.compute();
    ggml_backend_tensor_get(positions, largest.data(), 0, ggml_nbytes(positions));
  }
  std::vector<double> logSums;
  for (int64_t row = 0; row < count; ++row) {
    logSums.push_back(valueAt(logits_, largest[static_cast<size_t>(row)], row));
  }
  Graph graph(backend_, 8);
  graph.require(ggml_soft_max_inplace(graph.context(), logitRows(graph, 0, count)));
  graph.compute();
  for (int64_t row = 0; row < count; ++row) {
    const auto slot = static_cast<size_t>(row);
    logSums[slot] -= std::log(static_cast<double>(valueAt(logits_, largest[slot], row)));
  }
  return logSums;
}

void Head::compareChunk(const std::vector<float>& hidden, int64_t count, bool withGradients,
                        HeadResult& result) {
  computeLogits(hidden, 2 * count);
  // KL(q ‖ p) = Σ q (log q − log p) = Σ q (z_q − z_p) − log Σ exp z_q + log Σ exp z_p.
  std::vector<float> differences;
  {
    Graph graph(backend_, 16);
    ggml_context* context = graph.context();
    ggml_tensor* adapted = logitRows(graph, 0, count);
    // A view may begin where a GPU cannot read a softmax from.
    ggml_tensor* frozen = ggml_cont(context, logitRows(graph, count, count));
    ggml_tensor* product = ggml_mul_inplace(context, ggml_sub(context, frozen, adapted),
                                            ggml_soft_max(context, frozen));
    ggml_tensor* sums = ggml_sum_rows(context, product);
    graph.output(sums);
    graph.compute();
    differences = readFloats(sums);
  }
  const std::vector<double> logSums = normalise(2 * count);
  for (size_t row = 0; row < differences.size(); ++row) {
    const double divergence =
        static_cast<double>(differences[row]) - logSums[row + differences.size()] + logSums[row];
    result.values.push_back(-divergence);
  }
  if (!withGradients) return;
  Graph graph(backend_, 16);
  ggml_tensor* adapted = ggml_neg_inplace(graph.context(), logitRows(graph, 0, count));
  graph.require(ggml_add_inplace(graph.context(), adapted, logitRows(graph, count, count)));
  graph.compute();
  // Σ_v (q(v) − p(v)) W[v] is the gradient of −KL.
  const std::vector<float> gradient = expectedRows(count);
  result.unitGradients.insert(result.unitGradients.end(), gradient.begin(),
                              gradient.begin() + count * width_);
}

std::vector<float> Head::expectedRows(int64_t count) {
  ggml_backend_tensor_memset(expected_, 0, 0, ggml_nbytes(expected_));
  for (int64_t first = 0; first < vocabulary_; first += FrozenWeights::headBlock) {
    Graph graph(backend_, 16);
    ggml_tensor* block = headBlock(graph, first);
    ggml_tensor* probabilities =
        ggml_view_2d(graph.context(), logits_, block->ne[1], count, logits_->nb[1],
                     static_cast<size_t>(first) * sizeof(float));
    ggml_tensor* sum = ggml_view_2d(graph.context(), expected_, width_, count, expected_->nb[1], 0);
    graph.require(multiplyAdd(graph, sum, turned(graph, block), probabilities));
    graph.compute();
  }
  return readFloats(expected_);
}

}  // namespace preflexor
