// A run's whole state in one safetensors file: adapter, AdamW moments, step (from which data
// position and random numbers follow) and reference sums. Written whole or not at all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "adapter.hpp"
#include "optimizer.hpp"
#include "watch.hpp"

namespace preflexor {

struct CheckpointState {
  int step = 0;                       ///< steps done
  bool evaluated = true;              ///< whether no evaluation after this step is still to come
  std::uint64_t identity = 0;         ///< of the run; another run's checkpoint is refused
  std::vector<double> referenceSums;  ///< see ReferenceSums; NaN where not known yet
  DivergenceWatch::State divergence;
  EarlyStopWatch::State earlyStop;
};

/** @throws TrainerError "file" */
void writeCheckpoint(const std::string& path, const CheckpointState& state, const Adapter& adapter,
                     Optimizer& optimizer);

/**
 * Reads a checkpoint into adapter and optimizer; empty when there is no such file.
 * @throws TrainerError "bad-checkpoint" when it is damaged or belongs to another run; adapter and
 * optimizer are then unchanged
 */
std::optional<CheckpointState> readCheckpoint(const std::string& path, std::uint64_t identity,
                                              Adapter& adapter, Optimizer& optimizer);

}  // namespace preflexor
