// The training run: which records a step takes, the step itself, evaluation, checkpoints and
// commands. A run that is killed and resumed gives the very numbers of an unbroken one (one
// thread).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "adapter.hpp"
#include "checkpoint.hpp"
#include "config.hpp"
#include "evaluation.hpp"
#include "protocol.hpp"

namespace preflexor {

/**
 * Reference sums of all records, each computed once, alone (so that the batch it comes in changes
 * nothing), and kept in checkpoints. Four numbers a record: sum and tokens of chosen and rejected.
 */
class ReferenceCache {
 public:
  ReferenceCache(Network& network, const Adapter* reference, size_t records);

  /** @param index the record's place among all of the run's records */
  RecordSums get(size_t index, const Record& record);

  const std::vector<double>& values() const { return values_; }
  /** Takes over a checkpoint's values when their number fits. */
  void restore(const std::vector<double>& values);

 private:
  Network& network_;
  const Adapter* reference_;
  std::vector<double> values_;
};

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

  /** One optimizer step. @throws TrainerError "diverged"; the adapter is then unchanged */
  StepResult step();
  Metrics evaluate();
  void saveCheckpoint();
  /** Continues from out/checkpoint.safetensors where there is one. */
  bool resume();

  int stepsDone() const { return stepsDone_; }
  const Adapter& adapter() const { return *adapter_; }
  const Backend& backend() const { return backend_; }

 private:
  /** Adds the gradient of a micro-batch, scaled by `factor`; returns its outcomes. */
  std::vector<LossOutcome> accumulate(const std::vector<size_t>& records, double factor);
  std::vector<LossOutcome> outcomesOf(const std::vector<size_t>& records, const PackedBatch& batch,
                                      const std::vector<double>& logProbabilities);
  const Record& recordAt(size_t index) const;
  std::vector<size_t> recordsOfMicroBatch(std::uint64_t microBatch);
  bool obey(CommandReader& commands);
  void emitEvaluation();
  void finish(bool stopped);
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
  std::unique_ptr<ReferenceCache> reference_;
  std::vector<std::uint32_t> order_;
  std::uint64_t orderEpoch_ = UINT64_MAX;
  int stepsDone_ = 0;
};

/** The task "train". @throws TrainerError */
void runTrain(const Config& config);

}  // namespace preflexor
