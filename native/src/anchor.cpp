// Implementation of anchor.hpp. Hidden states are kept and not distributions: D numbers a token
// instead of V, and the head turns them into logits together with the adapted ones.
#include "anchor.hpp"

#include "random.hpp"

namespace preflexor {

Anchor::Anchor(Network& network, const Adapter* frozen, const AnchorOptions& options,
               std::uint64_t seed)
    : network_(network),
      frozen_(frozen),
      options_(options),
      seed_(seed),
      states_(options.sequences.size()) {
  for (const auto& sequence : options.sequences) {
    Record record;
    record.prompt = sequence;
    records_.push_back(record);
  }
}

std::vector<size_t> Anchor::sequencesOf(int step) const {
  const auto count = static_cast<std::uint64_t>(records_.size());
  std::vector<size_t> chosen;
  for (int slot = 0; slot < options_.perStep; ++slot) {
    const std::uint64_t place =
        static_cast<std::uint64_t>(step) * static_cast<std::uint64_t>(options_.perStep) +
        static_cast<std::uint64_t>(slot);
    const auto order = epochOrder(seed_, place / count, static_cast<std::uint32_t>(count),
                                  RandomPurpose::anchor);
    chosen.push_back(order[place % count]);
  }
  return chosen;
}

const std::vector<float>& Anchor::frozenStates(size_t sequence) {
  std::vector<float>& states = states_[sequence];
  if (states.empty()) {
    states = network_.hiddenStates(packRecords({&records_[sequence]}, true), frozen_);
  }
  return states;
}

double Anchor::accumulate(int step, Adapter& adapter, const Dropout& dropout) {
  std::vector<const Record*> records;
  std::vector<float> frozen;
  for (const size_t sequence : sequencesOf(step)) {
    records.push_back(&records_[sequence]);
    if (options_.kind == AnchorKind::replay) continue;
    const std::vector<float>& states = frozenStates(sequence);
    frozen.insert(frozen.end(), states.begin(), states.end());
  }
  // The texts are segments without completions: packed, they lie one after the other as their
  // hidden states do.
  const PackedBatch batch = packRecords(records, true);
  Forward forward = options_.kind == AnchorKind::replay
                        ? network_.forward(batch, &adapter, true, dropout)
                        : network_.divergence(batch, &adapter, frozen, true, dropout);
  double total = 0;
  for (const double value : forward.values) total -= value;
  const auto tokens = static_cast<double>(forward.values.size());
  const std::vector<double> weights(forward.values.size(), -options_.weight / tokens);
  network_.backward(batch, adapter, forward, weights, dropout);
  return total / tokens;
}

}  // namespace preflexor
