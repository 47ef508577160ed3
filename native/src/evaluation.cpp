// Implementation of evaluation.hpp.
#include "evaluation.hpp"

namespace preflexor {
namespace {

std::optional<SequenceSum>& partOf(RecordSums& sums, Part part) {
  switch (part) {
    case Part::prompt:
      return sums.prompt;
    case Part::chosen:
      return sums.chosen;
    case Part::rejected:
      break;
  }
  return sums.rejected;
}

}  // namespace

std::vector<RecordSums> collectSums(const PackedBatch& batch,
                                    const std::vector<double>& logProbabilities,
                                    const std::vector<const Record*>& records) {
  std::vector<RecordSums> sums(records.size());
  for (size_t index = 0; index < records.size(); ++index) {
    sums[index].prompt = SequenceSum{};
    if (!records[index]->chosen.empty()) sums[index].chosen = SequenceSum{};
    if (!records[index]->rejected.empty()) sums[index].rejected = SequenceSum{};
  }
  for (size_t label = 0; label < batch.labels.size(); ++label) {
    const Label& entry = batch.labels[label];
    if (!entry.counts) continue;
    SequenceSum& sum = *partOf(sums[entry.record], entry.part);
    sum.sum += logProbabilities[label];
    sum.tokens += 1;
  }
  return sums;
}

std::vector<double> labelWeights(const PackedBatch& batch, const std::vector<LossOutcome>& outcomes,
                                 double factor) {
  std::vector<double> weights(batch.labels.size(), 0.0);
  for (size_t label = 0; label < batch.labels.size(); ++label) {
    const Label& entry = batch.labels[label];
    if (!entry.counts) continue;
    const LossOutcome& outcome = outcomes[entry.record];
    if (entry.part == Part::prompt) weights[label] = factor * outcome.byFull;
    if (entry.part == Part::chosen) weights[label] = factor * (outcome.byFull + outcome.byChosen);
    if (entry.part == Part::rejected) weights[label] = factor * outcome.byRejected;
  }
  return weights;
}

void attachReference(RecordSums& sums, const RecordSums& reference) {
  sums.referenceChosen = reference.chosen;
  sums.referenceRejected = reference.rejected;
}

double countTokens(const Record& record) {
  double total = 0;
  for (const auto* completion : {&record.chosen, &record.rejected}) {
    if (!completion->empty()) {
      total += static_cast<double>(record.prompt.size() + completion->size());
    }
  }
  return total;
}

}  // namespace preflexor
