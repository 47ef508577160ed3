// Tiny random models as GGUF files, for the self-test and the tests: two layers (gemma3: three),
// grouped heads, what each architecture has beyond llama's, and a vocabulary that libllama takes.
#pragma once

#include <cstdint>
#include <string>

#include "batch.hpp"

namespace preflexor {

struct TinyModelOptions {
  std::string architecture = "llama";  ///< llama, qwen2, qwen3 or gemma3
  bool tiedHead = true;
  bool ropeFactors = false;  ///< Llama 3's frequency divisors
  std::uint64_t seed = 1;
};

inline constexpr int tinyVocabulary = 259;
inline constexpr int tinyContext = 512;

/** How many layers the tiny model of an architecture has. */
int tinyLayers(const std::string& architecture);

/** The bytes of a GGUF file. */
std::string makeTinyModel(const TinyModelOptions& options);

/** A record of random tokens; a completion of length 0 is absent. */
Record makeRandomRecord(std::uint64_t seed, int prompt, int chosen, int rejected);

}  // namespace preflexor
