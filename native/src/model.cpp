// Implementation of model.hpp. What an architecture needs beyond llama's is in `Traits`.
#include "model.hpp"

#include <cmath>

#include "errors.hpp"

namespace preflexor {
namespace {

struct Traits {
  const char* name;
  bool ropePairsHalves;
  bool hasHeadNorms;
  bool hasPostNorms;
  bool permutesQueryAndKey;
  bool scalesEmbedding;  ///< by √D
  Activation activation;
};

constexpr std::array<Traits, 4> supported = {{
    {"llama", false, false, false, true, false, Activation::silu},
    {"qwen2", true, false, false, false, false, Activation::silu},
    {"qwen3", true, true, false, false, false, Activation::silu},
    {"gemma3", true, true, true, false, true, Activation::gelu},
}};

/** gemma3: five local layers, then one that sees everything. */
constexpr int gemmaPattern = 6;
/** gemma3 of 27B divides scores by √(D / heads) and not by √headWidth; told by its layers. */
constexpr int gemma27Layers = 62;

const Traits* findTraits(const std::string& architecture) {
  for (const Traits& traits : supported) {
    if (architecture == traits.name) return &traits;
  }
  return nullptr;
}

struct RoleNames {
  const char* peft;
  const char* group;
  const char* gguf;
};

constexpr std::array<RoleNames, linearRoleCount> roleNames = {{
    {"q_proj", "self_attn", "attn_q"},
    {"k_proj", "self_attn", "attn_k"},
    {"v_proj", "self_attn", "attn_v"},
    {"o_proj", "self_attn", "attn_output"},
    {"gate_proj", "mlp", "ffn_gate"},
    {"up_proj", "mlp", "ffn_up"},
    {"down_proj", "mlp", "ffn_down"},
}};

/** What an architecture needs that is not written, as far as that is known. */
const char* missingFor(const std::string& architecture) {
  struct Missing {
    const char* architecture;
    const char* what;
  };
  constexpr Missing known[] = {
      {"gemma", "its norms and its head differ from gemma3's, and nobody compared them yet"},
      {"gemma2", "its capped attention scores and capped logits have no backward pass here"},
      {"gemma3n", "its altered residuals and per-layer embeddings have no backward pass here"},
      {"gemma4", "its shared key/value layers have no backward pass here"},
      {"phi3", "its joined query, key and value matrices cannot be adapted one by one"},
      {"qwen2moe", "mixtures of experts have no backward pass here"},
      {"qwen3moe", "mixtures of experts have no backward pass here"},
      {"qwen3next", "its gated delta layers have no backward pass here"},
      {"mamba", "state-space layers have no backward pass here"},
      {"mamba2", "state-space layers have no backward pass here"},
      {"gpt2", "layer norm with bias and learned positions have no backward pass here"},
  };
  for (const Missing& entry : known) {
    if (architecture == entry.architecture) return entry.what;
  }
  return "its forward and backward pass are not written here";
}

[[noreturn]] void refuse(const std::string& why) {
  throw TrainerError(
      "unsupported-model", why,
      "Use a model of the llama, qwen2, qwen3 or gemma3 architecture without experts.");
}

}  // namespace

const char* peftName(LinearRole role) {
  return roleNames[static_cast<size_t>(role)].peft;
}

std::string peftPath(LinearRole role) {
  const RoleNames& names = roleNames[static_cast<size_t>(role)];
  return std::string(names.group) + "." + names.peft;
}

const char* ggufName(LinearRole role) {
  return roleNames[static_cast<size_t>(role)].gguf;
}

Model::Model(const std::string& path) : file_(path) {
  readParameters();
  readTensors();
}

void Model::readParameters() {
  HyperParameters& p = parameters_;
  p.architecture = file_.text("general.architecture").value_or("");
  const Traits* traits = findTraits(p.architecture);
  if (traits == nullptr) {
    refuse("The architecture \"" + p.architecture +
           "\" cannot be trained: " + missingFor(p.architecture) + ".");
  }
  p.ropePairsHalves = traits->ropePairsHalves;
  const std::string prefix = p.architecture + ".";
  const auto count = [&](const std::string& key, int fallback) {
    const std::int64_t value = file_.integer(prefix + key).value_or(fallback);
    if (value < 1 || value > 1 << 24) {
      throw TrainerError(
          "bad-model",
          "The file " + file_.path() + " lacks a sound value for " + prefix + key + ".",
          "Download the file again and compare its sha256.");
    }
    return static_cast<int>(value);
  };
  p.layers = count("block_count", 0);
  p.width = count("embedding_length", 0);
  p.feedForward = count("feed_forward_length", 0);
  p.heads = count("attention.head_count", 0);
  p.keyValueHeads = count("attention.head_count_kv", p.heads);
  p.headWidth = count("attention.key_length", p.width / p.heads);
  if (count("attention.value_length", p.headWidth) != p.headWidth) {
    refuse("Keys and values of different widths cannot be trained yet.");
  }
  if (p.heads % p.keyValueHeads != 0) refuse("The key/value heads do not divide the heads.");
  p.contextLength = count("context_length", 0);
  p.ropeDimensions = count("rope.dimension_count", p.headWidth);
  if (p.ropeDimensions > p.headWidth || p.ropeDimensions % 2 != 0) {
    refuse("The rotated dimensions do not fit the head.");
  }
  p.normEpsilon =
      static_cast<float>(file_.number(prefix + "attention.layer_norm_rms_epsilon").value_or(1e-5));
  p.activation = traits->activation;
  if (traits->scalesEmbedding) p.embeddingScale = std::sqrt(static_cast<float>(p.width));
  const bool byWidth = p.architecture == "gemma3" && p.layers == gemma27Layers;
  p.attentionScale =
      1.0F / std::sqrt(static_cast<float>(byWidth ? p.width / p.heads : p.headWidth));
  readRope();
  readWindow();
  refuseUnknown();
}

void Model::readRope() {
  HyperParameters& p = parameters_;
  const std::string prefix = p.architecture + ".rope.";
  p.ropeBase = static_cast<float>(file_.number(prefix + "freq_base").value_or(10000.0));
  const std::string scaling = file_.text(prefix + "scaling.type").value_or("none");
  const double factor = file_.number(prefix + "scaling.factor")
                            .value_or(file_.number(prefix + "scale_linear").value_or(1.0));
  if (scaling != "none" && scaling != "linear") {
    refuse("Rope scaling of the type \"" + scaling + "\" cannot be trained yet.");
  }
  if (scaling == "linear" && factor > 0) p.ropeScale = static_cast<float>(1.0 / factor);
}

void Model::readWindow() {
  HyperParameters& p = parameters_;
  const std::string prefix = p.architecture + ".";
  const std::int64_t window = file_.integer(prefix + "attention.sliding_window").value_or(0);
  if (window <= 0) return;
  const std::string pattern = prefix + "attention.sliding_window_pattern";
  if (p.architecture != "gemma3" || window > 1 << 24 || file_.arrayLength(pattern).has_value()) {
    refuse("Sliding-window attention in this form cannot be trained yet.");
  }
  const std::int64_t every = file_.integer(pattern).value_or(gemmaPattern);
  if (every < 1 || every > p.layers + gemmaPattern) {
    refuse("The pattern of windows in the file has no sound value.");
  }
  p.slidingWindow = static_cast<int>(window);
  p.localPattern = static_cast<int>(every);
  p.localRopeBase =
      static_cast<float>(file_.number(prefix + "rope.freq_base_swa").value_or(10000.0));
}

void Model::refuseUnknown() const {
  const std::string prefix = parameters_.architecture + ".";
  if (file_.integer(prefix + "expert_count").value_or(0) > 0) {
    refuse("Mixtures of experts cannot be trained yet.");
  }
  for (const char* cap : {"final_logit_softcapping", "attn_logit_softcapping"}) {
    if (file_.number(prefix + cap).value_or(0) > 0) {
      refuse("Capped logits cannot be trained yet.");
    }
  }
}

const GgufTensor* Model::optional(const std::string& name, int64_t ne0, int64_t ne1) const {
  const GgufTensor* tensor = file_.findTensor(name);
  if (tensor == nullptr) return nullptr;
  if (tensor->ne[0] != ne0 || tensor->rows() != ne1) {
    throw TrainerError(
        "bad-model",
        "The tensor " + name + " in " + file_.path() + " has another shape than its metadata says.",
        "Download the file again and compare its sha256.");
  }
  if (tensor->type != GGML_TYPE_F32 && ggml_get_type_traits(tensor->type)->to_float == nullptr) {
    refuse(std::string("The tensor ") + name + " has the type " + ggml_type_name(tensor->type) +
           ", which cannot be read back as numbers.");
  }
  return tensor;
}

const GgufTensor* Model::require(const std::string& name, int64_t ne0, int64_t ne1) const {
  const GgufTensor* tensor = optional(name, ne0, ne1);
  if (tensor == nullptr) {
    throw TrainerError("bad-model", "The file " + file_.path() + " lacks the tensor " + name + ".",
                       "Download the file again and compare its sha256.");
  }
  return tensor;
}

void Model::readTensors() {
  HyperParameters& p = parameters_;
  const GgufTensor* embedding = file_.findTensor("token_embd.weight");
  p.vocabulary = embedding == nullptr ? 1 : static_cast<int>(embedding->rows());
  embedding_ = require("token_embd.weight", p.width, p.vocabulary);
  outputNorm_ = require("output_norm.weight", p.width, 1);
  head_ = optional("output.weight", p.width, p.vocabulary);
  if (head_ == nullptr) head_ = embedding_;
  ropeFactors_ = optional("rope_freqs.weight", p.ropeDimensions / 2, 1);
  const Traits& traits = *findTraits(p.architecture);
  for (int index = 0; index < p.layers; ++index) {
    const std::string prefix = "blk." + std::to_string(index) + ".";
    ModelLayer layer;
    layer.attentionNorm = require(prefix + "attn_norm.weight", p.width, 1);
    layer.feedForwardNorm = require(prefix + "ffn_norm.weight", p.width, 1);
    if (traits.hasPostNorms) {
      layer.attentionPostNorm = require(prefix + "post_attention_norm.weight", p.width, 1);
      layer.feedForwardPostNorm = require(prefix + "post_ffw_norm.weight", p.width, 1);
    }
    if (traits.hasHeadNorms) {
      layer.queryNorm = require(prefix + "attn_q_norm.weight", p.headWidth, 1);
      layer.keyNorm = require(prefix + "attn_k_norm.weight", p.headWidth, 1);
    }
    for (const LinearRole role : allLinearRoles) {
      const auto slot = static_cast<size_t>(role);
      const std::string name = prefix + ggufName(role);
      layer.weights[slot] = require(name + ".weight", inputWidth(role), outputWidth(role));
      layer.biases[slot] = optional(name + ".bias", outputWidth(role), 1);
    }
    layers_.push_back(layer);
  }
}

int64_t Model::inputWidth(LinearRole role) const {
  switch (role) {
    case LinearRole::output:
      return int64_t{parameters_.heads} * parameters_.headWidth;
    case LinearRole::down:
      return parameters_.feedForward;
    default:
      return parameters_.width;
  }
}

int64_t Model::outputWidth(LinearRole role) const {
  switch (role) {
    case LinearRole::query:
      return int64_t{parameters_.heads} * parameters_.headWidth;
    case LinearRole::key:
    case LinearRole::value:
      return int64_t{parameters_.keyValueHeads} * parameters_.headWidth;
    case LinearRole::gate:
    case LinearRole::up:
      return parameters_.feedForward;
    case LinearRole::output:
    case LinearRole::down:
      break;
  }
  return parameters_.width;
}

int Model::permutedHeads(LinearRole role) const {
  if (!findTraits(parameters_.architecture)->permutesQueryAndKey) return 0;
  if (role == LinearRole::query) return parameters_.heads;
  if (role == LinearRole::key) return parameters_.keyValueHeads;
  return 0;
}

}  // namespace preflexor
