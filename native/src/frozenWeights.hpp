// The frozen weights in the type that is computed with: one layer at a time in a staging area, read
// from the quantised file on every use.
// Policy and reference read the same values, so their difference is exact.
#pragma once

#include <array>
#include <vector>

#include "backend.hpp"
#include "model.hpp"

namespace preflexor {

/** The tensors of one layer; ne in ggml's order. */
struct LayerWeights {
  struct Linear {
    ggml_tensor* weight = nullptr;  ///< [in, out], weight type
    ggml_tensor* bias = nullptr;    ///< [out] F32 or null
  };
  std::array<Linear, linearRoleCount> linears;
  ggml_tensor* attentionNorm = nullptr;        ///< [D] F32
  ggml_tensor* feedForwardNorm = nullptr;      ///< [D] F32
  ggml_tensor* queryNorm = nullptr;            ///< [headWidth] F32 or null
  ggml_tensor* keyNorm = nullptr;              ///< [headWidth] F32 or null
  ggml_tensor* attentionPostNorm = nullptr;    ///< [D] F32 or null
  ggml_tensor* feedForwardPostNorm = nullptr;  ///< [D] F32 or null
};

class FrozenWeights {
 public:
  FrozenWeights(Backend& backend, const Model& model);

  /** Brings one layer into the staging area; the tensors of the layer before become invalid. */
  const LayerWeights& load(int layer);
  /** Makes the next load() read the file again. */
  void forget() { stagedLayer_ = -1; }
  /** Bytes of everything that is kept here. */
  size_t bytes() const { return store_.bytes(); }

  /** Fills the head's staging area [D, headBlock] with `rows` rows of the head from `first` on. */
  ggml_tensor* loadHead(int64_t first, int64_t rows);
  /** One row of the head, rounded to the weight type, as F32. */
  std::vector<float> headRow(int64_t row) const;
  /** Embeddings of tokens, scaled where the model does that, [D, T] F32. */
  std::vector<float> embed(const std::vector<int32_t>& tokens) const;

  ggml_tensor* outputNorm() const { return outputNorm_; }    ///< [D] F32
  ggml_tensor* ropeFactors() const { return ropeFactors_; }  ///< F32 or null

  /** Vocabulary rows of the head that are computed with at a time. */
  static constexpr int64_t headBlock = 8192;

 private:
  Backend& backend_;
  const Model& model_;
  TensorStore store_;
  LayerWeights staged_;               ///< linears: the staging area, shared by all layers
  std::vector<LayerWeights> small_;   ///< norms and biases of each layer, kept
  ggml_tensor* headStage_ = nullptr;  ///< [D, headBlock]
  ggml_tensor* outputNorm_ = nullptr;
  ggml_tensor* ropeFactors_ = nullptr;
  int stagedLayer_ = -1;
};

}  // namespace preflexor
