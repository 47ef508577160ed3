// The frozen model: which architecture a GGUF file holds, its numbers, and where each matrix lies.
// Computes nothing. Architectures: llama, qwen2, qwen3, gemma3; everything else is refused by name.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "ggufReader.hpp"

namespace preflexor {

/** The linear maps of a layer that LoRA can adapt, in PEFT's usual order. */
enum class LinearRole { query, key, value, output, gate, up, down };
inline constexpr int linearRoleCount = 7;
inline constexpr std::array<LinearRole, linearRoleCount> allLinearRoles = {
    LinearRole::query, LinearRole::key, LinearRole::value, LinearRole::output,
    LinearRole::gate,  LinearRole::up,  LinearRole::down};

/** "q_proj" … as PEFT and transformers call it. */
const char* peftName(LinearRole role);
/** "self_attn.q_proj", "mlp.gate_proj" …: the module's path inside a layer. */
std::string peftPath(LinearRole role);
/** "attn_q" … as GGUF calls it. */
const char* ggufName(LinearRole role);

/** What the gate of the MLP goes through. */
enum class Activation { silu, gelu };

struct HyperParameters {
  std::string architecture;
  int layers = 0;
  int width = 0;        ///< D, the model width
  int feedForward = 0;  ///< width of the gated MLP
  int heads = 0;
  int keyValueHeads = 0;
  int headWidth = 0;
  int vocabulary = 0;  ///< V
  int contextLength = 0;
  float normEpsilon = 0;
  int ropeDimensions = 0;
  float ropeBase = 10000;
  float ropeScale = 1;           ///< 1 / factor of linear scaling
  bool ropePairsHalves = false;  ///< true: (i, i + n/2) rotate together (NeoX); false: (2i, 2i + 1)
  float attentionScale = 1;      ///< of the scores
  float embeddingScale = 1;
  Activation activation = Activation::silu;
  int slidingWindow = 0;  ///< positions that a local layer sees, its own included; 0: no window
  int localPattern = 0;   ///< of so many layers the last sees everything; 0: all do
  float localRopeBase = 10000;

  /** Whether a layer sees its window only. */
  bool isLocal(int layer) const {
    return slidingWindow > 0 && localPattern > 0 && layer % localPattern < localPattern - 1;
  }
};

struct ModelLayer {
  const GgufTensor* attentionNorm = nullptr;                    ///< [D]
  const GgufTensor* feedForwardNorm = nullptr;                  ///< [D]
  const GgufTensor* queryNorm = nullptr;                        ///< [headWidth], qwen3, gemma3
  const GgufTensor* keyNorm = nullptr;                          ///< [headWidth], qwen3, gemma3
  const GgufTensor* attentionPostNorm = nullptr;                ///< [D], gemma3
  const GgufTensor* feedForwardPostNorm = nullptr;              ///< [D], gemma3
  std::array<const GgufTensor*, linearRoleCount> weights = {};  ///< [in, out]
  std::array<const GgufTensor*, linearRoleCount> biases = {};   ///< [out] or null
};

class Model {
 public:
  /** @throws TrainerError "file", "bad-model", "unsupported-model" */
  explicit Model(const std::string& path);

  const GgufFile& file() const { return file_; }
  const HyperParameters& parameters() const { return parameters_; }
  const ModelLayer& layer(int index) const { return layers_[static_cast<size_t>(index)]; }
  const GgufTensor& embedding() const { return *embedding_; }    ///< [D, V]
  const GgufTensor& outputNorm() const { return *outputNorm_; }  ///< [D]
  const GgufTensor& head() const { return *head_; }  ///< [D, V]; the embedding when tied
  const GgufTensor* ropeFactors() const { return ropeFactors_; }  ///< [ropeDimensions / 2] or null
  /** Input and output width of a linear map. */
  int64_t inputWidth(LinearRole role) const;
  int64_t outputWidth(LinearRole role) const;
  /** Heads whose rows transformers orders otherwise than GGUF (llama's q and k), else 0. */
  int permutedHeads(LinearRole role) const;

 private:
  void readParameters();
  void readRope();
  void readWindow();
  void refuseUnknown() const;
  void readTensors();
  const GgufTensor* require(const std::string& name, int64_t ne0, int64_t ne1) const;
  const GgufTensor* optional(const std::string& name, int64_t ne0, int64_t ne1) const;

  GgufFile file_;
  HyperParameters parameters_;
  std::vector<ModelLayer> layers_;
  const GgufTensor* embedding_ = nullptr;
  const GgufTensor* outputNorm_ = nullptr;
  const GgufTensor* head_ = nullptr;
  const GgufTensor* ropeFactors_ = nullptr;
};

}  // namespace preflexor
