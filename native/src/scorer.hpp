// The task "score": log-probabilities, every loss, and on request the gradient of one loss. Trains
// nothing.
#pragma once

#include "config.hpp"

namespace preflexor {

/** Emits one "score" event per record and "done". @throws TrainerError */
void runScore(const Config& config);

}  // namespace preflexor
