// AdamW with decoupled decay and bias correction as PyTorch computes it, gradient clipping by the
// total norm, and learning-rate schedules as transformers computes them.
#pragma once

#include <string>
#include <vector>

#include "adapter.hpp"

namespace preflexor {

enum class Schedule { constant, linear, cosine };

struct OptimizerOptions {
  double learningRate = 2e-4;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weightDecay = 0;
  double clip = 1.0;  ///< largest total norm; 0 switches clipping off
  Schedule schedule = Schedule::constant;
  int warmup = 0;  ///< steps over which the rate rises from 0, which the first step has
};

/** The rate of step 0, 1, 2 … of `steps`. */
double learningRateAt(const OptimizerOptions& options, int step, int steps);

/** One AdamW update of plain arrays; `step` counts from 1. Kept apart for exact tests. */
void adamwUpdate(const OptimizerOptions& options, double rate, int step, std::vector<float>& value,
                 const std::vector<float>& gradient, std::vector<float>& firstMoment,
                 std::vector<float>& secondMoment);

class Optimizer {
 public:
  Optimizer(const OptimizerOptions& options, const Adapter& adapter);

  /** Total norm of all gradients, in double; not finite when any gradient is not. */
  double gradientNorm(const Adapter& adapter) const;

  /**
   * Clips, updates every parameter and clears the gradients.
   * @param step from 0 @param norm what gradientNorm() gave
   */
  void update(Adapter& adapter, int step, int steps, double norm);

  /** Moments in the order of Adapter::parameters(), for checkpoints. */
  std::vector<std::vector<float>>& firstMoments() { return firstMoments_; }
  std::vector<std::vector<float>>& secondMoments() { return secondMoments_; }

 private:
  OptimizerOptions options_;
  std::vector<std::vector<float>> firstMoments_;
  std::vector<std::vector<float>> secondMoments_;
};

}  // namespace preflexor
