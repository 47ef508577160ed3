// Implementation of losses.hpp. w: chosen, l: rejected, S: sum, L: mean, Δ: S under the policy
// minus S under the reference.
#include "losses.hpp"

#include <algorithm>
#include <cmath>

namespace preflexor {
namespace {

double sigmoid(double x) {
  return x >= 0 ? 1.0 / (1.0 + std::exp(-x)) : std::exp(x) / (1.0 + std::exp(x));
}

double logSigmoid(double x) {
  return x >= 0 ? -std::log1p(std::exp(-x)) : x - std::log1p(std::exp(x));
}

/** Sum over prompt and chosen: what SFT and ORPO call the whole text. */
SequenceSum fullSum(const RecordSums& sums) {
  return {sums.prompt->sum + sums.chosen->sum, sums.prompt->tokens + sums.chosen->tokens};
}

double ratioOfChosen(const RecordSums& sums) {
  return sums.chosen->sum - sums.referenceChosen->sum;
}

double ratioOfRejected(const RecordSums& sums) {
  return sums.rejected->sum - sums.referenceRejected->sum;
}

/** Log-odds of a mean log-probability L: L − log(1 − exp L). */
double logOdds(double mean) {
  return mean - std::log(-std::expm1(mean));
}

/** Its derivative: 1 / (1 − exp L). */
double logOddsSlope(double mean) {
  return -1.0 / std::expm1(mean);
}

LossOutcome sft(const RecordSums& sums) {
  LossOutcome result;
  result.loss = -sums.chosen->mean();
  result.byChosen = -1.0 / sums.chosen->tokens;
  return result;
}

LossOutcome sftFull(const RecordSums& sums) {
  LossOutcome result;
  const SequenceSum full = fullSum(sums);
  result.loss = -full.mean();
  result.byFull = -1.0 / full.tokens;
  return result;
}

/** Hong, Lee, Thorne 2024 (arXiv:2403.07691), eq. 6 and 7; without the likelihood term. */
LossOutcome oddsRatio(const LossParameters& p, const RecordSums& sums) {
  LossOutcome result;
  const double chosen = sums.chosen->mean();
  const double rejected = sums.rejected->mean();
  const double ratio = logOdds(chosen) - logOdds(rejected);
  const double slope = -p.beta * sigmoid(-ratio);
  result.loss = -p.beta * logSigmoid(ratio);
  result.byChosen = slope * logOddsSlope(chosen) / sums.chosen->tokens;
  result.byRejected = -slope * logOddsSlope(rejected) / sums.rejected->tokens;
  return result;
}

LossOutcome add(LossOutcome first, const LossOutcome& second) {
  first.loss += second.loss;
  first.byChosen += second.byChosen;
  first.byRejected += second.byRejected;
  first.byFull += second.byFull;
  return first;
}

/** A loss of z = β (Δw − Δl), given its value and slope at z. */
LossOutcome ofLogit(const LossParameters& p, double loss, double slope) {
  LossOutcome result;
  result.loss = loss;
  result.byChosen = p.beta * slope;
  result.byRejected = -p.beta * slope;
  return result;
}

/** Rafailov et al. 2023 (arXiv:2305.18290), eq. 7; smoothing as in conservative DPO. */
LossOutcome dpo(const LossParameters& p, const RecordSums& sums) {
  const double z = p.beta * (ratioOfChosen(sums) - ratioOfRejected(sums));
  const double s = p.smoothing;
  return ofLogit(p, -(1 - s) * logSigmoid(z) - s * logSigmoid(-z),
                 -(1 - s) * sigmoid(-z) + s * sigmoid(z));
}

/** Ji et al. 2024 (arXiv:2402.00856), eq. 16 with K = 2: KL(policy ‖ smoothed preference). */
LossOutcome exoPair(const LossParameters& p, const RecordSums& sums) {
  const double z = p.beta * (ratioOfChosen(sums) - ratioOfRejected(sums));
  const double logWin = std::log1p(-p.epsilon);
  const double logLose = std::log(p.epsilon);
  const double loss =
      sigmoid(z) * (logSigmoid(z) - logWin) + sigmoid(-z) * (logSigmoid(-z) - logLose);
  // log σ(z) − log σ(−z) = z, and the two terms that come from the logarithms cancel.
  return ofLogit(p, loss, sigmoid(z) * sigmoid(-z) * (z - logWin + logLose));
}

/** Azar et al. 2023 (arXiv:2310.12036), eq. 17, with log-ratios per token as TRL has them. */
LossOutcome ipo(const LossParameters& p, const RecordSums& sums) {
  LossOutcome result;
  const double difference = ratioOfChosen(sums) / sums.chosen->tokens -
                            ratioOfRejected(sums) / sums.rejected->tokens - 1.0 / (2.0 * p.beta);
  result.loss = difference * difference;
  result.byChosen = 2.0 * difference / sums.chosen->tokens;
  result.byRejected = -2.0 * difference / sums.rejected->tokens;
  return result;
}

/** Meng, Xia, Chen 2024 (arXiv:2405.14734), eq. 6. */
LossOutcome simpo(const LossParameters& p, const RecordSums& sums) {
  LossOutcome result;
  const double margin = p.simpoBeta * (sums.chosen->mean() - sums.rejected->mean()) - p.gamma;
  const double slope = -p.simpoBeta * sigmoid(-margin);
  result.loss = -logSigmoid(margin);
  result.byChosen = slope / sums.chosen->tokens;
  result.byRejected = -slope / sums.rejected->tokens;
  return result;
}

/** Ethayarajh et al. 2024 (arXiv:2402.01306), eq. 8, desirable and undesirable weighing alike. */
LossOutcome kto(const LossParameters& p, const RecordSums& sums, double baseline) {
  LossOutcome result;
  const double share = sums.chosen.has_value() && sums.rejected.has_value() ? 0.5 : 1.0;
  if (sums.chosen.has_value()) {
    const double s = sigmoid(p.beta * (ratioOfChosen(sums) - baseline));
    result.loss += share * (1 - s);
    result.byChosen = -share * p.beta * s * (1 - s);
  }
  if (sums.rejected.has_value()) {
    const double s = sigmoid(p.beta * (baseline - ratioOfRejected(sums)));
    result.loss += share * (1 - s);
    result.byRejected = share * p.beta * s * (1 - s);
  }
  return result;
}

double ktoBaseline(const std::vector<RecordSums>& records) {
  double total = 0;
  double count = 0;
  for (const RecordSums& sums : records) {
    if (sums.chosen.has_value()) {
      total += ratioOfChosen(sums);
      ++count;
    }
    if (sums.rejected.has_value()) {
      total += ratioOfRejected(sums);
      ++count;
    }
  }
  return count == 0 ? 0 : std::max(0.0, total / count);
}

LossOutcome one(LossKind kind, const LossParameters& p, const RecordSums& sums, double baseline) {
  switch (kind) {
    case LossKind::sft:
      return sft(sums);
    case LossKind::sftFull:
      return sftFull(sums);
    case LossKind::orpo:
      return add(sftFull(sums), oddsRatio(p, sums));
    case LossKind::orpoCompletionNll:
      return add(sft(sums), oddsRatio(p, sums));
    case LossKind::dpo:
      return dpo(p, sums);
    case LossKind::exoPair:
      return exoPair(p, sums);
    case LossKind::ipo:
      return ipo(p, sums);
    case LossKind::simpo:
      return simpo(p, sums);
    case LossKind::cpoSimpo:
      return add(sft(sums), simpo(p, sums));
    case LossKind::kto:
      break;
  }
  return kto(p, sums, baseline);
}

/** β (S − S_ref) where there is a reference, else β times the mean. */
void addRewards(LossKind kind, const LossParameters& p, const RecordSums& sums,
                LossOutcome& outcome) {
  const bool simple = kind == LossKind::simpo || kind == LossKind::cpoSimpo;
  const double beta = simple ? p.simpoBeta : p.beta;
  const bool reference = needsReference(kind);
  if (sums.chosen.has_value()) {
    outcome.rewardChosen = beta * (reference ? ratioOfChosen(sums) : sums.chosen->mean());
  }
  if (sums.rejected.has_value()) {
    outcome.rewardRejected = beta * (reference ? ratioOfRejected(sums) : sums.rejected->mean());
  }
}

}  // namespace

const char* lossName(LossKind kind) {
  switch (kind) {
    case LossKind::sft:
      return "sft";
    case LossKind::sftFull:
      return "sft_full";
    case LossKind::orpo:
      return "orpo";
    case LossKind::orpoCompletionNll:
      return "orpo_completion_nll";
    case LossKind::dpo:
      return "dpo";
    case LossKind::exoPair:
      return "exo_pair";
    case LossKind::ipo:
      return "ipo";
    case LossKind::simpo:
      return "simpo";
    case LossKind::cpoSimpo:
      return "cpo_simpo";
    case LossKind::kto:
      break;
  }
  return "kto";
}

std::optional<LossKind> lossByName(const std::string& name) {
  for (const LossKind kind : allLossKinds) {
    if (name == lossName(kind)) return kind;
  }
  return std::nullopt;
}

bool needsReference(LossKind kind) {
  return kind == LossKind::dpo || kind == LossKind::exoPair || kind == LossKind::ipo ||
         kind == LossKind::kto;
}

bool needsPromptSum(LossKind kind) {
  return kind == LossKind::sftFull || kind == LossKind::orpo;
}

bool fits(LossKind kind, bool hasChosen, bool hasRejected) {
  if (kind == LossKind::sft || kind == LossKind::sftFull) return hasChosen;
  if (kind == LossKind::kto) return hasChosen || hasRejected;
  return hasChosen && hasRejected;
}

std::vector<LossOutcome> computeLosses(LossKind kind, const LossParameters& parameters,
                                       const std::vector<RecordSums>& records) {
  const double baseline = kind == LossKind::kto ? ktoBaseline(records) : 0;
  std::vector<LossOutcome> outcomes;
  for (const RecordSums& sums : records) {
    LossOutcome outcome = one(kind, parameters, sums, baseline);
    addRewards(kind, parameters, sums, outcome);
    outcomes.push_back(outcome);
  }
  return outcomes;
}

}  // namespace preflexor
