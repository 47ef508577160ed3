// Implementation of tinyModel.hpp.
#include "tinyModel.hpp"

#include <cmath>
#include <cstdio>
#include <vector>

#include "ggufWriter.hpp"
#include "random.hpp"

namespace preflexor {
namespace {

constexpr int width = 32;
constexpr int heads = 4;
constexpr int keyValueHeads = 2;
constexpr int headWidth = 16;  // heads × headWidth is not the width: qwen3 allows it
constexpr int feedForward = 48;

class TinyWriter {
 public:
  explicit TinyWriter(std::uint64_t seed) : random_(seed, RandomPurpose::test) {}

  void matrix(const std::string& name, int64_t in, int64_t out) {
    add(name, {in, out}, 0.0, 1.0 / std::sqrt(static_cast<double>(in)));
  }
  /** Gains around 1, biases around 0. */
  void vector(const std::string& name, int64_t length, double centre, double spread) {
    add(name, {length}, centre, spread);
  }

  GgufWriter& file() { return file_; }

 private:
  void add(const std::string& name, const std::vector<int64_t>& ne, double centre, double spread) {
    int64_t count = 1;
    for (const int64_t length : ne) count *= length;
    std::vector<float> values;
    for (int64_t index = 0; index < count; ++index) {
      values.push_back(static_cast<float>(centre + spread * random_.normal()));
    }
    file_.addFloats(name, ne, values);
  }

  GgufWriter file_;
  Random random_;
};

void writeMetadata(GgufWriter& file, const std::string& architecture) {
  file.addText("general.architecture", architecture);
  file.addUnsigned(architecture + ".block_count",
                   static_cast<std::uint32_t>(tinyLayers(architecture)));
  file.addUnsigned(architecture + ".embedding_length", width);
  file.addUnsigned(architecture + ".feed_forward_length", feedForward);
  file.addUnsigned(architecture + ".attention.head_count", heads);
  file.addUnsigned(architecture + ".attention.head_count_kv", keyValueHeads);
  file.addUnsigned(architecture + ".attention.key_length", headWidth);
  file.addUnsigned(architecture + ".attention.value_length", headWidth);
  file.addUnsigned(architecture + ".rope.dimension_count", headWidth);
  file.addUnsigned(architecture + ".context_length", tinyContext);
  file.addFloat(architecture + ".attention.layer_norm_rms_epsilon", 1e-5F);
  // Another base than the local layers of gemma3 have.
  file.addFloat(architecture + ".rope.freq_base", architecture == "gemma3" ? 1e6F : 10000.0F);
  if (architecture == "gemma3") {
    file.addUnsigned(architecture + ".attention.sliding_window", 8);
    file.addUnsigned(architecture + ".attention.sliding_window_pattern", 2);
  }
}

/** SentencePiece's kind of vocabulary: three special tokens, then every byte, as libllama wants it.
 */
void writeVocabulary(GgufWriter& file) {
  std::vector<std::string> texts = {"<unk>", "<s>", "</s>"};
  std::vector<std::int32_t> kinds = {2, 3, 3};
  const std::vector<float> scores(tinyVocabulary, 0.0F);
  for (int byte = 0; byte < 256; ++byte) {
    char text[8];
    std::snprintf(text, sizeof(text), "<0x%02X>", static_cast<unsigned>(byte));
    texts.emplace_back(text);
    kinds.push_back(6);
  }
  file.addText("tokenizer.ggml.model", "llama");
  file.addTexts("tokenizer.ggml.tokens", texts);
  file.addFloatList("tokenizer.ggml.scores", scores);
  file.addIntegers("tokenizer.ggml.token_type", kinds);
  file.addUnsigned("tokenizer.ggml.unknown_token_id", 0);
  file.addUnsigned("tokenizer.ggml.bos_token_id", 1);
  file.addUnsigned("tokenizer.ggml.eos_token_id", 2);
}

void writeLayer(TinyWriter& writer, const std::string& architecture, int layer) {
  const std::string prefix = "blk." + std::to_string(layer) + ".";
  const int queries = heads * headWidth;
  const int keys = keyValueHeads * headWidth;
  writer.vector(prefix + "attn_norm.weight", width, 1.0, 0.1);
  writer.vector(prefix + "ffn_norm.weight", width, 1.0, 0.1);
  writer.matrix(prefix + "attn_q.weight", width, queries);
  writer.matrix(prefix + "attn_k.weight", width, keys);
  writer.matrix(prefix + "attn_v.weight", width, keys);
  writer.matrix(prefix + "attn_output.weight", queries, width);
  writer.matrix(prefix + "ffn_gate.weight", width, feedForward);
  writer.matrix(prefix + "ffn_up.weight", width, feedForward);
  writer.matrix(prefix + "ffn_down.weight", feedForward, width);
  if (architecture == "qwen2") {
    writer.vector(prefix + "attn_q.bias", queries, 0.0, 0.3);
    writer.vector(prefix + "attn_k.bias", keys, 0.0, 0.3);
    writer.vector(prefix + "attn_v.bias", keys, 0.0, 0.3);
  }
  if (architecture == "gemma3") {
    writer.vector(prefix + "post_attention_norm.weight", width, 1.0, 0.2);
    writer.vector(prefix + "post_ffw_norm.weight", width, 1.0, 0.2);
  }
  if (architecture == "qwen3" || architecture == "gemma3") {
    writer.vector(prefix + "attn_q_norm.weight", headWidth, 1.0, 0.2);
    writer.vector(prefix + "attn_k_norm.weight", headWidth, 1.0, 0.2);
  }
}

std::vector<int32_t> randomTokens(Random& random, int count) {
  std::vector<int32_t> tokens;
  for (int index = 0; index < count; ++index) {
    tokens.push_back(static_cast<int32_t>(random.below(tinyVocabulary)));
  }
  return tokens;
}

}  // namespace

int tinyLayers(const std::string& architecture) {
  // gemma3: a window, everything, a window.
  return architecture == "gemma3" ? 3 : 2;
}

std::string makeTinyModel(const TinyModelOptions& options) {
  TinyWriter writer(options.seed);
  writeMetadata(writer.file(), options.architecture);
  writeVocabulary(writer.file());
  writer.vector("output_norm.weight", width, 1.0, 0.1);
  writer.matrix("token_embd.weight", width, tinyVocabulary);
  if (!options.tiedHead) writer.matrix("output.weight", width, tinyVocabulary);
  if (options.ropeFactors) {
    std::vector<float> factors;
    for (int pair = 0; pair < headWidth / 2; ++pair) {
      factors.push_back(1.0F + static_cast<float>(pair));
    }
    writer.file().addFloats("rope_freqs.weight", {headWidth / 2}, factors);
  }
  for (int layer = 0; layer < tinyLayers(options.architecture); ++layer) {
    writeLayer(writer, options.architecture, layer);
  }
  return writer.file().finish();
}

Record makeRandomRecord(std::uint64_t seed, int prompt, int chosen, int rejected) {
  Random random(seed, RandomPurpose::test, 1);
  Record record;
  record.prompt = randomTokens(random, prompt);
  record.chosen = randomTokens(random, chosen);
  record.rejected = randomTokens(random, rejected);
  record.chosenMask.assign(record.chosen.size(), 1);
  record.rejectedMask.assign(record.rejected.size(), 1);
  return record;
}

}  // namespace preflexor
