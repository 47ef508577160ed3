// Implementation of head.hpp. log p(label) = z_label − (z_max − log p_max), where p_max is the
// softmax at the largest logit: log of a small p would underflow.
#include "head.hpp"

#include <algorithm>
#include <cmath>

#include "graph.hpp"

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

void Head::evaluateChunk(const std::vector<float>& normed, const Label* labels, int64_t count,
                         bool withGradients, HeadResult& result) {
  std::vector<float> hidden(static_cast<size_t>(width_ * count));
  for (int64_t index = 0; index < count; ++index) {
    std::copy_n(normed.begin() + labels[index].row * width_, width_,
                hidden.begin() + index * width_);
  }
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
    const int64_t rows = std::min(FrozenWeights::headBlock, vocabulary_ - first);
    ggml_tensor* stage = weights_.loadHead(first, rows, false);
    Graph graph(backend_, 16);
    ggml_context* context = graph.context();
    ggml_tensor* block =
        ggml_view_2d(context, stage, width_, rows, ggml_row_size(stage->type, width_), 0);
    ggml_tensor* x = graph.input("hidden", hidden, width_, count);
    ggml_tensor* target = ggml_view_2d(context, logits_, rows, count, logits_->nb[1],
                                       static_cast<size_t>(first) * sizeof(float));
    graph.require(ggml_cpy(context, ggml_mul_mat(context, block, x), target));
    graph.compute();
  }
}

void Head::readLogProbabilities(const Label* labels, int64_t count, HeadResult& result) {
  std::vector<int32_t> largest(static_cast<size_t>(count));
  std::vector<double> labelLogit;
  std::vector<double> largestLogit;
  {
    Graph graph(backend_, 8);
    ggml_tensor* used =
        ggml_view_2d(graph.context(), logits_, vocabulary_, count, logits_->nb[1], 0);
    ggml_tensor* positions = ggml_argmax(graph.context(), used);
    graph.output(positions);
    graph.compute();
    ggml_backend_tensor_get(positions, largest.data(), 0, ggml_nbytes(positions));
  }
  for (int64_t index = 0; index < count; ++index) {
    labelLogit.push_back(valueAt(logits_, labels[index].token, index));
    largestLogit.push_back(valueAt(logits_, largest[static_cast<size_t>(index)], index));
  }
  Graph graph(backend_, 8);
  ggml_tensor* used = ggml_view_2d(graph.context(), logits_, vocabulary_, count, logits_->nb[1], 0);
  graph.require(ggml_soft_max_inplace(graph.context(), used));
  graph.compute();
  for (int64_t index = 0; index < count; ++index) {
    const auto slot = static_cast<size_t>(index);
    const double largestProbability = valueAt(logits_, largest[slot], index);
    result.logProbabilities.push_back(labelLogit[slot] - largestLogit[slot] +
                                      std::log(largestProbability));
  }
}

std::vector<float> Head::expectedRows(int64_t count) {
  ggml_backend_tensor_memset(expected_, 0, 0, ggml_nbytes(expected_));
  for (int64_t first = 0; first < vocabulary_; first += FrozenWeights::headBlock) {
    const int64_t rows = std::min(FrozenWeights::headBlock, vocabulary_ - first);
    ggml_tensor* stage = weights_.loadHead(first, rows, true);
    Graph graph(backend_, 16);
    ggml_context* context = graph.context();
    ggml_tensor* block =
        ggml_view_2d(context, stage, rows, width_, ggml_row_size(stage->type, rows), 0);
    ggml_tensor* probabilities =
        ggml_cont(context, ggml_view_2d(context, logits_, rows, count, logits_->nb[1],
                                        static_cast<size_t>(first) * sizeof(float)));
    ggml_tensor* sum = ggml_view_2d(context, expected_, width_, count, expected_->nb[1], 0);
    graph.require(ggml_add_inplace(context, sum, ggml_mul_mat(context, block, probabilities)));
    graph.compute();
  }
  return readFloats(expected_);
}

}  // namespace preflexor
