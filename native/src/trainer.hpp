// The training run: which records a step takes, the step itself, evaluation, checkpoints and
// commands. A run that is killed and resumed gives the very numbers of an unbroken one (one
// thread).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "adapter.hpp"
#include "anchor.hpp"
#include "checkpoint.hpp"
#include "config.hpp"
#include "evaluation.hpp"
#include "protocol.hpp"
#include "referenceSums.hpp"
#include "resources.hpp"
#include "watch.hpp"

namespace preflexor {

/** Means over a batch or a held-out set. */
struct Metrics {
  double loss = 0;
  std::optional<double> rewardChosen;
  std::optional<double> rewardRejected;
  std::optional<double> margin;
  std::optional<double> accuracy;
};

struct StepResult {
  Metrics metrics;
  std::optional<double> anchorLoss;  ///< nats a token, without the weight
  double gradientNorm = 0;
  double learningRate = 0;
  double tokens = 0;
};

class Trainer {
 public:
  /** Opens everything and checks the data. @throws TrainerError */
  explicit Trainer(const Config& config);

  /** From the first or the resumed step to the end; talks as PROTOCOL.md says. */
  void run(CommandReader& commands);

  /** Says what a run would take, and takes none of its steps. */
  void estimate();

  /**
   * One optimizer step. @throws TrainerError "diverged"; the adapter is then unchanged. @throws
   * Interrupted; abandonStep() is then due
   */
  StepResult step();
  /** Forgets what an interrupted step has gathered: the run is as it was before it. */
  void abandonStep();
  Metrics evaluate();
  void saveCheckpoint();
  /** Continues from out/checkpoint.safetensors where there is one. */
  bool resume();

  /** Shares out the memory. @throws TrainerError "memory" with numbers when it does not suffice */
  MemoryNeed planMemory();

  int stepsDone() const { return stepsDone_; }
  /** Records whose reference sums an earlier run had left. */
  size_t referenceSumsFound() const { return reference_->found(); }
  const Adapter& adapter() const { return *adapter_; }
  Backend& backend() { return backend_; }

 private:
  /** Adds the gradient of a micro-batch, scaled by `factor`; returns its outcomes. */
  std::vector<LossOutcome> accumulate(std::uint64_t microBatch, double factor);
  std::vector<LossOutcome> outcomesOf(const std::vector<size_t>& records, const PackedBatch& batch,
                                      const std::vector<double>& logProbabilities);
  /** @throws TrainerError "diverged" */
  void requireConvergence(const StepResult& result);
  /** A step; when it diverges the adapter of the last good checkpoint is written first. */
  StepResult stepOrFallBack();
  const Record& recordAt(size_t index) const;
  std::vector<size_t> recordsOfMicroBatch(std::uint64_t microBatch);
  PackedBatch longestBatch() const;
  bool pausedByFile() const;
  void saveAndTell();
  /** All steps that are left. @returns why they ended @throws Interrupted, TrainerError */
  const char* takeSteps(const CommandReader& commands);
  /** @returns whether the run shall end early */
  bool evaluateAndWatch();
  void reportStep(const StepResult& result, double seconds, double processor,
                  double secondsRemaining);
  /** Writes both adapter files. @returns their names for an event */
  Event writeAdapter();
  void finish(const char* reason);
  std::string checkpointPath() const;

  const Config& config_;
  const TrainConfig& train_;
  Backend backend_;
  Model model_;
  std::uint64_t identity_;
  std::unique_ptr<Adapter> adapter_;
  std::unique_ptr<Adapter> referenceAdapter_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<ReferenceSums> reference_;
  std::unique_ptr<Anchor> anchor_;
  DivergenceWatch divergence_;
  EarlyStopWatch earlyStop_;
  std::vector<std::uint32_t> order_;
  std::uint64_t orderEpoch_ = UINT64_MAX;
  int stepsDone_ = 0;
  int evaluatedAt_ = -1;
  bool evaluating_ = false;
  int lastCheckpoint_ = -1;  ///< the step of the newest checkpoint that this run wrote or read
};

/** The task "train". @throws TrainerError */
void runTrain(const Config& config);

}  // namespace preflexor
