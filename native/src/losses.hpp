// The preference losses as functions of a few sequence sums, in double precision, with their
// derivatives by each sum. Sources: method.md §4, TRL 1.16; papers are named at each formula.
// Knows nothing about networks.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace preflexor {

enum class LossKind {
  sft,
  sftFull,
  orpo,
  orpoCompletionNll,
  dpo,
  exoPair,
  ipo,
  simpo,
  cpoSimpo,
  kto
};

inline constexpr LossKind allLossKinds[] = {
    LossKind::sft,      LossKind::sftFull, LossKind::orpo, LossKind::orpoCompletionNll,
    LossKind::dpo,      LossKind::exoPair, LossKind::ipo,  LossKind::simpo,
    LossKind::cpoSimpo, LossKind::kto};

/** "sft", "sft_full", "orpo" … as in the protocol. */
const char* lossName(LossKind kind);
std::optional<LossKind> lossByName(const std::string& name);

struct LossParameters {
  double beta = 0.1;       ///< β of ORPO, DPO, EXO, IPO, KTO
  double simpoBeta = 2.0;  ///< β of SimPO and CPO-SimPO
  double gamma = 1.0;      ///< target margin γ of SimPO and CPO-SimPO
  double epsilon = 0.005;  ///< label smoothing ε of EXO, in (0, 0.5)
  double smoothing = 0.0;  ///< label smoothing of DPO (conservative DPO), in [0, 0.5)
};

/** Sum of log-probabilities of the tokens that count, and how many those are. */
struct SequenceSum {
  double sum = 0;
  double tokens = 0;
  double mean() const { return sum / tokens; }
};

/** The sums of one record; a completion that the record lacks is absent. */
struct RecordSums {
  std::optional<SequenceSum> prompt;  ///< after its first token; asked for by sft_full and orpo
  std::optional<SequenceSum> chosen;
  std::optional<SequenceSum> rejected;
  std::optional<SequenceSum> referenceChosen;
  std::optional<SequenceSum> referenceRejected;
};

/** A record's loss, its derivatives by the sums, and the rewards that are logged. */
struct LossOutcome {
  double loss = 0;
  double byChosen = 0;    ///< d loss / d (sum over chosen)
  double byRejected = 0;  ///< d loss / d (sum over rejected)
  double byFull = 0;      ///< d loss / d (sum over prompt and chosen together)
  std::optional<double> rewardChosen;
  std::optional<double> rewardRejected;
};

bool needsReference(LossKind kind);
bool needsPromptSum(LossKind kind);
/** Whether a record with these completions can be used. */
bool fits(LossKind kind, bool hasChosen, bool hasRejected);

/**
 * One outcome per record; the batch's loss is their mean. Only KTO looks at several records: its k
 * is the mean log-ratio of all completions in the batch, at least 0, and not differentiated.
 */
std::vector<LossOutcome> computeLosses(LossKind kind, const LossParameters& parameters,
                                       const std::vector<RecordSums>& records);

}  // namespace preflexor
