// What a run takes and what there is: memory needed before it is taken, memory free on this
// machine, memory taken at the most so far.
#pragma once

#include <string>

#include "adapter.hpp"
#include "network.hpp"

namespace preflexor {

/** Largest resident memory of this process so far, in bytes. */
double peakBytes();
/** Processor time of all threads of this process so far, in seconds. */
double processorSeconds();
/** Memory that the machine (and a container's limit) can still give, in bytes; 0: not known. */
double availableBytes();

/** Bytes by what they are for. */
struct MemoryNeed {
  double program = 0;      ///< the program and its libraries
  double model = 0;        ///< the mapped file; shared with every process that reads it
  double adapter = 0;      ///< values, gradients and both moments
  double weights = 0;      ///< one layer unpacked, a block of the head, logits
  double activations = 0;  ///< inputs of all layers, gradients of labels
  double work = 0;         ///< one layer's forward and backward pass
  double anchor = 0;       ///< the frozen model's states on the anchor's texts
  double kept = 0;         ///< what may be kept to spare the backward pass work

  double least() const { return program + model + adapter + weights + activations + work + anchor; }
  double total() const { return least() + kept; }
};

/** For training over a batch, without anything kept. */
MemoryNeed memoryNeed(const Model& model, Network& network, const Adapter& adapter,
                      const PackedBatch& batch);

/** "1.25 GiB". */
std::string inWords(double bytes);

}  // namespace preflexor
