// Two watches over a run, each a few numbers that go into checkpoints: whether the loss runs away,
// and whether the held-out figures have stopped to improve. They only look; the trainer acts.
#pragma once

#include <optional>
#include <string>

namespace preflexor {

/**
 * Tells a loss that runs away: its running mean has risen above three times its lowest value so
 * far, and by more than one. A single bad batch does not do that.
 */
class DivergenceWatch {
 public:
  /** @returns whether the run has diverged with this loss */
  bool add(double loss);

  struct State {
    int count = 0;
    double mean = 0;
    double lowest = 0;
  };
  State state() const { return state_; }
  void restore(const State& state) { state_ = state; }

 private:
  State state_;
};

enum class EarlyStopMetric { loss, accuracy, margin };

struct EarlyStopOptions {
  EarlyStopMetric metric = EarlyStopMetric::loss;
  int patience = 3;                ///< evaluations without improvement that end the run; 0: never
  double minimumChange = 0;        ///< a smaller change is no improvement
  std::optional<double> target{};  ///< reached: the run ends at once
};

class EarlyStopWatch {
 public:
  explicit EarlyStopWatch(const EarlyStopOptions& options) : options_(options) {}

  /** @returns whether the run shall end after this evaluation; `value` of the chosen metric */
  bool add(double value);

  struct State {
    int evaluations = 0;
    int withoutImprovement = 0;
    double best = 0;
  };
  State state() const { return state_; }
  void restore(const State& state) { state_ = state; }

 private:
  EarlyStopOptions options_;
  State state_;
};

}  // namespace preflexor
