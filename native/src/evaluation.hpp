// Between network and losses: sums of log-probabilities per record and part, and back from a loss's
// derivatives to one weight per label.
#pragma once

#include <vector>

#include "batch.hpp"
#include "losses.hpp"
#include "network.hpp"

namespace preflexor {

/** Sums of the labels that count; a part without labels is absent. */
std::vector<RecordSums> collectSums(const PackedBatch& batch,
                                    const std::vector<double>& logProbabilities,
                                    const std::vector<const Record*>& records);

/** Weight of each label in d(factor · Σ losses): what Network::backward takes. */
std::vector<double> labelWeights(const PackedBatch& batch, const std::vector<LossOutcome>& outcomes,
                                 double factor);

/** Copies the completions' sums of `reference` into the reference fields of `sums`. */
void attachReference(RecordSums& sums, const RecordSums& reference);

/** Tokens of prompt and completion of each side, however they are shared. */
double countTokens(const Record& record);

}  // namespace preflexor
