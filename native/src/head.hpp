// The head: log-probabilities of labels, and their gradient by the hidden state for a unit weight.
// As every loss is linear in that gradient once its coefficient is known, one pass serves all.
#pragma once

#include "backend.hpp"
#include "batch.hpp"
#include "frozenWeights.hpp"

namespace preflexor {

struct HeadResult {
  std::vector<double> logProbabilities;  ///< one per label
  /** d log p(label) / d hidden, [D, labels]; empty when not asked for. */
  std::vector<float> unitGradients;
};

class Head {
 public:
  Head(Backend& backend, const Model& model, FrozenWeights& weights);

  /**
   * Only the rows that labels name are computed, in chunks whose logits fit `logitsBytes`.
   * @param normed hidden states after the output norm, [D, T]
   */
  HeadResult evaluate(const std::vector<float>& normed, const std::vector<Label>& labels,
                      bool withGradients);

  /** Memory that the logits of one chunk may take. */
  static constexpr int64_t logitsBytes = int64_t{64} << 20;

 private:
  void evaluateChunk(const std::vector<float>& normed, const Label* labels, int64_t count,
                     bool withGradients, HeadResult& result);
  void computeLogits(const std::vector<float>& hidden, int64_t count);
  void readLogProbabilities(const Label* labels, int64_t count, HeadResult& result);
  std::vector<float> expectedRows(int64_t count);

  Backend& backend_;
  FrozenWeights& weights_;
  int64_t width_;
  int64_t vocabulary_;
  int64_t chunk_;
  TensorStore store_;
  ggml_tensor* logits_;    ///< [V, chunk]: logits, then probabilities in place
  ggml_tensor* expected_;  ///< [D, chunk]: Σ_v p(v) W[v]
};

}  // namespace preflexor
