// The head: log-probabilities of labels, or the divergence of whole distributions from frozen ones,
// and their gradient by the hidden state for a unit weight.
// As every loss is linear in that gradient once its coefficient is known, one pass serves all.
#pragma once

#include "backend.hpp"
#include "batch.hpp"
#include "frozenWeights.hpp"
#include "graph.hpp"

namespace preflexor {

struct HeadResult {
  std::vector<double> values;  ///< one per label: log p of the label, or minus a divergence
  /** d value / d hidden, [D, labels]; empty when not asked for. */
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

  /**
   * −KL(frozen ‖ adapted) of the distribution at each label's row, over the whole vocabulary.
   * @param adapted, frozen hidden states after the output norm, [D, T]
   */
  HeadResult compare(const std::vector<float>& adapted, const std::vector<float>& frozen,
                     const std::vector<Label>& labels, bool withGradients);

  size_t bytes() const { return store_.bytes(); }

  /** Memory that the logits of one chunk may take. */
  static constexpr int64_t logitsBytes = int64_t{64} << 20;

 private:
  void evaluateChunk(const std::vector<float>& normed, const Label* labels, int64_t count,
                     bool withGradients, HeadResult& result);
  /** Rows `first` … of the head, [D, rows], in the staging area. */
  ggml_tensor* headBlock(Graph& graph, int64_t first);
  void computeLogits(const std::vector<float>& hidden, int64_t count);
  void readLogProbabilities(const Label* labels, int64_t count, HeadResult& result);
  void compareChunk(const std::vector<float>& hidden, int64_t count, bool withGradients,
                    HeadResult& result);
  /** Turns the first rows of logits into probabilities. @returns log Σ exp of each row */
  std::vector<double> normalise(int64_t count);
  ggml_tensor* logitRows(Graph& graph, int64_t first, int64_t count);
  std::vector<float> expectedRows(int64_t count);

  Backend& backend_;
  FrozenWeights& weights_;
  int64_t width_;
  int64_t vocabulary_;
  int64_t chunk_;
  TensorStore store_;
  ggml_tensor* logits_;    ///< [V, chunk]: logits, then probabilities in place
  ggml_tensor* expected_;  ///< [D, chunk]: Σ_v p(v) W[v], p being what logits_ holds
};

}  // namespace preflexor
