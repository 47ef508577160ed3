// Implementation of watch.hpp.
#include "watch.hpp"

#include <algorithm>
#include <cmath>

namespace preflexor {
namespace {

/** The running mean follows about as many losses. */
constexpr int memory = 8;
constexpr double runawayFactor = 3;
constexpr double runawayRise = 1;

}  // namespace

bool DivergenceWatch::add(double loss) {
  State& s = state_;
  ++s.count;
  s.mean += (loss - s.mean) / std::min(s.count, memory);
  if (s.count <= memory) {
    s.lowest = s.mean;
    return false;
  }
  s.lowest = std::min(s.lowest, s.mean);
  return s.mean > s.lowest + std::max(runawayRise, (runawayFactor - 1) * std::abs(s.lowest));
}

bool EarlyStopWatch::add(double value) {
  // Of losses less is better, of the others more.
  const double gain = options_.metric == EarlyStopMetric::loss ? -value : value;
  const double best = options_.metric == EarlyStopMetric::loss ? -state_.best : state_.best;
  const bool better = state_.evaluations == 0 || gain > best + options_.minimumChange;
  ++state_.evaluations;
  state_.withoutImprovement = better ? 0 : state_.withoutImprovement + 1;
  if (better) state_.best = value;
  if (options_.target.has_value()) {
    const double target =
        options_.metric == EarlyStopMetric::loss ? -*options_.target : *options_.target;
    if (gain >= target) return true;
  }
  return options_.patience > 0 && state_.withoutImprovement >= options_.patience;
}

}  // namespace preflexor
