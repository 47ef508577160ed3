// The one JSON file that tells the trainer what to do. Parsed whole at the edge: past this file
// every value is present, in range and of its type. PROTOCOL.md lists the fields.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "adapter.hpp"
#include "anchor.hpp"
#include "backend.hpp"
#include "batch.hpp"
#include "losses.hpp"
#include "model.hpp"
#include "optimizer.hpp"
#include "watch.hpp"

namespace preflexor {

struct ScoreConfig {
  bool perToken = false;
  /** Also writes the adapter's gradient of this loss, the mean over all records. */
  std::optional<LossKind> gradientLoss;
  std::string gradientFile;
};

struct TrainConfig {
  std::string out;
  LossKind loss = LossKind::orpo;
  std::vector<Record> heldout;
  LoraShape lora;
  double dropout = 0;  ///< of the adapters' inputs, in training
  OptimizerOptions optimizer;
  int steps = 0;
  int batch = 1;
  int accumulation = 1;
  int evaluateEvery = 0;     ///< 0: only at the end
  int checkpointEvery = 50;  ///< 0: only at the end and on command
  std::uint64_t seed = 0;
  bool resume = false;
  bool lowPriority = true;
  std::optional<AnchorOptions> anchor;
  std::optional<EarlyStopOptions> earlyStop;
  std::string pauseFile;       ///< while it exists, the run waits between steps; empty: none
  std::string referenceCache;  ///< folder for reference sums across runs; empty: none
  std::optional<double> memoryBudget;  ///< bytes that the process may take
  bool estimateOnly = false;
};

struct Config {
  BackendOptions backend;
  std::string model;
  std::string adapter;    ///< PEFT folder to start from or to score; empty: none
  std::string reference;  ///< PEFT folder of the frozen reference; empty: the base model
  LossParameters losses;
  std::vector<Record> records;
  std::optional<ScoreConfig> score;  ///< exactly one of score and train is present
  std::optional<TrainConfig> train;
  std::uint64_t identity = 0;  ///< of all that decides a run's numbers, except its length
};

/** @throws TrainerError "bad-config" naming the field, "bad-data" naming the record */
Config parseConfig(const std::string& text);

/**
 * Checks records against the model.
 * @throws TrainerError "bad-data": a token beyond the vocabulary, a text beyond the context
 */
void checkRecords(const std::vector<Record>& records, const Model& model, const char* field);

}  // namespace preflexor
