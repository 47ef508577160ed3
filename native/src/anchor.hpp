// The anchor against forgetting: plain texts on which the adapted network shall stay what it was,
// either by learning them again (replay) or by staying close to the frozen network's distribution
// (KL). A term of its own beside the preference loss, with texts of its own.
#pragma once

#include <cstdint>
#include <vector>

#include "network.hpp"

namespace preflexor {

enum class AnchorKind { replay, divergence };

struct AnchorOptions {
  std::vector<std::vector<int32_t>> sequences;  ///< token ids, at least two each
  AnchorKind kind = AnchorKind::divergence;
  double weight = 1;
  int perStep = 1;  ///< sequences that each step takes
};

class Anchor {
 public:
  /** @param frozen what "as before" means: an adapter, or null for the base model */
  Anchor(Network& network, const Adapter* frozen, const AnchorOptions& options, std::uint64_t seed);

  /**
   * Adds the gradient of weight × the mean over tokens of the step's texts: −log p for a replay,
   * KL(frozen ‖ adapted) for a divergence.
   * @returns that mean, in nats a token, without the weight
   */
  double accumulate(int step, Adapter& adapter, const Dropout& dropout);
  /** The same mean without the gradient. */
  double evaluate(int step, const Adapter& adapter, const Dropout& dropout);

  /** The longest texts that a step can meet. */
  PackedBatch longestBatch() const;
  /** Bytes of the frozen states once every text was met. @param width of a state */
  double stateBytes(std::int64_t width) const;

 private:
  Forward forward(const PackedBatch& batch, const Adapter& adapter,
                  const std::vector<size_t>& texts, bool forBackward, const Dropout& dropout);
  PackedBatch pack(const std::vector<size_t>& texts) const;
  std::vector<size_t> sequencesOf(int step) const;
  /** The frozen network's hidden states [D, T], computed once a text. */
  const std::vector<float>& frozenStates(size_t sequence);

  Network& network_;
  const Adapter* frozen_;
  const AnchorOptions& options_;
  std::uint64_t seed_;
  std::vector<Record> records_;
  std::vector<std::vector<float>> states_;
};

}  // namespace preflexor
