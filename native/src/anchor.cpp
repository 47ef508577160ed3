// Implementation of anchor.hpp. Hidden states are kept and not distributions: D numbers a token
// instead of V, and the head turns them into logits together with the adapted ones.
#include "anchor.hpp"

#include <algorithm>
#include <numeric>

#include "random.hpp"

namespace preflexor {
namespace {

double meanOf(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

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
    const auto order =
        epochOrder(seed_, place / count, static_cast<std::uint32_t>(count), RandomPurpose::anchor);
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

PackedBatch Anchor::pack(const std::vector<size_t>& texts) const {
  std::vector<const Record*> records;
  for (const size_t text : texts) records.push_back(&records_[text]);
  return packRecords(records, true);
}

PackedBatch Anchor::longestBatch() const {
  std::vector<size_t> texts(records_.size());
  std::iota(texts.begin(), texts.end(), size_t{0});
  std::sort(texts.begin(), texts.end(), [&](size_t left, size_t right) {
    return records_[left].prompt.size() > records_[right].prompt.size();
  });
  texts.resize(std::min(texts.size(), static_cast<size_t>(options_.perStep)));
  return pack(texts);
}

double Anchor::stateBytes(std::int64_t width) const {
  if (options_.kind == AnchorKind::replay) return 0;
  size_t tokens = 0;
  for (const Record& record : records_) tokens += record.prompt.size();
  return static_cast<double>(tokens) * static_cast<double>(width) * sizeof(float);
}

Forward Anchor::forward(const PackedBatch& batch, const Adapter& adapter,
                        const std::vector<size_t>& texts, bool forBackward,
                        const Dropout& dropout) {
  if (options_.kind == AnchorKind::replay) {
    return network_.forward(batch, &adapter, forBackward, dropout);
  }
  // Packed texts without completions lie one after the other, as their hidden states do.
  std::vector<float> frozen;
  for (const size_t text : texts) {
    const std::vector<float>& states = frozenStates(text);
    frozen.insert(frozen.end(), states.begin(), states.end());
  }
  return network_.divergence(batch, &adapter, frozen, forBackward, dropout);
}

double Anchor::evaluate(int step, const Adapter& adapter, const Dropout& dropout) {
  const std::vector<size_t> texts = sequencesOf(step);
  return -meanOf(forward(pack(texts), adapter, texts, false, dropout).values);
}

double Anchor::accumulate(int step, Adapter& adapter, const Dropout& dropout) {
  const std::vector<size_t> texts = sequencesOf(step);
  const PackedBatch batch = pack(texts);
  Forward result = forward(batch, adapter, texts, true, dropout);
  const double weight = -options_.weight / static_cast<double>(result.values.size());
  network_.backward(batch, adapter, result, std::vector<double>(result.values.size(), weight),
                    dropout);
  return -meanOf(result.values);
}

}  // namespace preflexor
