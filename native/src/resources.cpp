// Implementation of resources.hpp; what the system has to tell is in systemPosix.cpp and
// systemWindows.cpp.
#include "resources.hpp"

#include <cstdio>

namespace preflexor {
namespace {

/** The program, ggml, OpenBLAS with its buffers, and the heap's slack: measured, rounded up. */
constexpr double programBytes = 64.0 * (1 << 20);

}  // namespace

MemoryNeed memoryNeed(const Model& model, Network& network, const Adapter& adapter,
                      const PackedBatch& batch) {
  constexpr double copies = 4;  // value, gradient, two moments
  const auto width = static_cast<double>(model.parameters().width) * sizeof(float);
  const auto tokens = static_cast<double>(batch.size());
  const auto labels = static_cast<double>(batch.labels.size());
  MemoryNeed need;
  need.program = programBytes;
  need.model = static_cast<double>(model.file().bytes());
  need.adapter = copies * adapter.parameterCount() * sizeof(float);
  need.weights = static_cast<double>(network.storeBytes());
  // Each layer's input, and what comes and goes between layers.
  need.activations = width * (tokens * (model.parameters().layers + 4.0) + labels);
  need.work = static_cast<double>(network.workBytes(batch, adapter));
  return need;
}

std::string inWords(double bytes) {
  char text[32];
  const bool large = bytes >= 1024.0 * (1 << 20);
  std::snprintf(text, sizeof(text), large ? "%.2f GiB" : "%.0f MiB",
                bytes / (large ? 1024.0 * (1 << 20) : 1 << 20));
  return text;
}

}  // namespace preflexor
