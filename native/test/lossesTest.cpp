// Each loss: its derivatives against central differences in double precision, known values, and
// what happens far from ordinary numbers.
#include "losses.hpp"

#include "check.hpp"

using namespace preflexor;

namespace {

RecordSums example() {
  RecordSums sums;
  sums.prompt = SequenceSum{-60.5, 21};
  sums.chosen = SequenceSum{-80.25, 30};
  sums.rejected = SequenceSum{-52.75, 17};
  sums.referenceChosen = SequenceSum{-79.0, 30};
  sums.referenceRejected = SequenceSum{-50.0, 17};
  return sums;
}

double lossOf(LossKind kind, const LossParameters& p, const RecordSums& sums) {
  return computeLosses(kind, p, {sums}).front().loss;
}

/** d loss / d one sum by central differences; `select` gives the sum inside a record. */
template <typename Select>
double slope(LossKind kind, const LossParameters& p, Select select) {
  constexpr double step = 1e-5;
  RecordSums above = example();
  RecordSums below = example();
  select(above).sum += step;
  select(below).sum -= step;
  return (lossOf(kind, p, above) - lossOf(kind, p, below)) / (2 * step);
}

SequenceSum& chosenOf(RecordSums& sums) {
  return *sums.chosen;
}
SequenceSum& rejectedOf(RecordSums& sums) {
  return *sums.rejected;
}
SequenceSum& promptOf(RecordSums& sums) {
  return *sums.prompt;
}

void checkSlopes(LossKind kind, const LossParameters& p) {
  const LossOutcome outcome = computeLosses(kind, p, {example()}).front();
  CHECK_NEAR(outcome.byChosen + outcome.byFull, slope(kind, p, chosenOf), 1e-7);
  CHECK_NEAR(outcome.byRejected, slope(kind, p, rejectedOf), 1e-7);
  CHECK_NEAR(outcome.byFull, slope(kind, p, promptOf), 1e-7);
}

}  // namespace

TEST_CASE("given default parameters, when differentiated, then every loss matches differences") {
  for (const LossKind kind : allLossKinds) checkSlopes(kind, LossParameters{});
}

TEST_CASE("given unusual parameters, when differentiated, then every loss matches differences") {
  LossParameters p;
  p.beta = 0.7;
  p.simpoBeta = 3.5;
  p.gamma = 0.2;
  p.epsilon = 0.2;
  p.smoothing = 0.3;
  for (const LossKind kind : allLossKinds) checkSlopes(kind, p);
}

TEST_CASE(
    "given a policy that equals its reference, then DPO is log 2 and IPO a quarter of 1/beta squared") {
  RecordSums sums = example();
  sums.referenceChosen = sums.chosen;
  sums.referenceRejected = sums.rejected;
  CHECK_NEAR(lossOf(LossKind::dpo, {}, sums), std::log(2.0), 1e-12);
  CHECK_NEAR(lossOf(LossKind::ipo, {}, sums), 25.0, 1e-12);
  CHECK_NEAR(lossOf(LossKind::kto, {}, sums), 0.5, 1e-12);
}

TEST_CASE(
    "given the minimum of EXO, when z is the log-odds of its smoothing, then loss and slope vanish") {
  LossParameters p;
  RecordSums sums = example();
  const double z = std::log((1 - p.epsilon) / p.epsilon);
  sums.referenceRejected = sums.rejected;
  sums.referenceChosen = SequenceSum{sums.chosen->sum - z / p.beta, sums.chosen->tokens};
  const LossOutcome outcome = computeLosses(LossKind::exoPair, p, {sums}).front();
  CHECK_NEAR(outcome.loss, 0, 1e-12);
  CHECK_NEAR(outcome.byChosen, 0, 1e-12);
}

TEST_CASE("given log-ratios of thousands of nats, then losses and slopes stay finite") {
  for (const double shift : {-20000.0, 20000.0}) {
    RecordSums sums = example();
    sums.chosen->sum = -30 + std::min(0.0, shift);
    sums.referenceChosen->sum = -30 - std::max(0.0, shift);
    for (const LossKind kind : allLossKinds) {
      const LossOutcome outcome = computeLosses(kind, {}, {sums}).front();
      CHECK(std::isfinite(outcome.loss));
      CHECK(std::isfinite(outcome.byChosen));
      CHECK(std::isfinite(outcome.byRejected));
    }
  }
}

TEST_CASE("given nearly certain completions, then ORPO keeps its precision") {
  RecordSums sums = example();
  sums.chosen = SequenceSum{-3e-9, 30};
  const LossOutcome outcome = computeLosses(LossKind::orpo, {}, {sums}).front();
  CHECK(std::isfinite(outcome.loss));
  CHECK(outcome.byChosen <= 0);
}

TEST_CASE(
    "given several records, then KTO measures against their mean log-ratio when it is positive") {
  RecordSums high = example();
  high.rejected.reset();
  high.referenceRejected.reset();
  high.referenceChosen = SequenceSum{high.chosen->sum - 8, 30};
  RecordSums low = high;
  low.referenceChosen = SequenceSum{low.chosen->sum - 2, 30};
  const std::vector<LossOutcome> outcomes = computeLosses(LossKind::kto, {}, {high, low});
  // k = 5: 1 − σ(0.1 · 3) and 1 − σ(0.1 · −3).
  CHECK_NEAR(outcomes[0].loss, 1 - 1 / (1 + std::exp(-0.3)), 1e-12);
  CHECK_NEAR(outcomes[1].loss, 1 - 1 / (1 + std::exp(0.3)), 1e-12);
  CHECK(!outcomes[0].rewardRejected.has_value());
}

TEST_CASE("given names, then each loss is found by its own name and no other") {
  for (const LossKind kind : allLossKinds) CHECK(lossByName(lossName(kind)) == kind);
  CHECK(!lossByName("hinge").has_value());
}

TEST_CASE("given a lone completion, then only losses that can use it accept it") {
  CHECK(fits(LossKind::sft, true, false));
  CHECK(!fits(LossKind::sft, false, true));
  CHECK(fits(LossKind::kto, false, true));
  CHECK(!fits(LossKind::dpo, true, false));
}
