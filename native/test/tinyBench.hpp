// A tiny model with everything that is needed to run it, and the gradients that it gives.
#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "check.hpp"
#include "evaluation.hpp"
#include "files.hpp"
#include "network.hpp"
#include "random.hpp"
#include "tinyModel.hpp"

namespace preflexor::testing {

/** A tiny model with everything that is needed to run it. */
struct Bench {
  explicit Bench(const TinyModelOptions& options = {},
                 const BackendOptions& backendOptions = cpuOptions())
      : backend(backendOptions), path(write(options)), model(path), network(backend, model) {}

  std::string write(const TinyModelOptions& options) const {
    writeFileAtomically(folder.file("tiny.gguf"), makeTinyModel(options));
    return folder.file("tiny.gguf");
  }

  std::vector<RecordSums> sums(const std::vector<const Record*>& records,
                               const Adapter* adapter = nullptr) {
    const PackedBatch batch = packRecords(records, true);
    return collectSums(batch, network.forward(batch, adapter, false).values, records);
  }

  std::unique_ptr<Adapter> randomAdapter() {
    auto adapter = std::make_unique<Adapter>(
        backend, model, uniformModules(model, {LinearRole::query, LinearRole::down}, 3, 6));
    Random random(9, RandomPurpose::test);
    for (const Adapter::Parameter& parameter : adapter->parameters()) {
      std::vector<float> values(static_cast<size_t>(ggml_nelements(parameter.value)));
      for (float& value : values) value = static_cast<float>(0.2 * random.normal());
      ggml_backend_tensor_set(parameter.value, values.data(), 0, ggml_nbytes(parameter.value));
    }
    return adapter;
  }

  TemporaryFolder folder;
  Backend backend;
  std::string path;
  Model model;
  Network network;
};

inline double relativeDifference(const std::vector<float>& one, const std::vector<float>& other) {
  double difference = 0;
  double size = 0;
  for (size_t index = 0; index < one.size(); ++index) {
    difference += std::pow(static_cast<double>(one[index] - other[index]), 2);
    size += std::pow(static_cast<double>(one[index]), 2);
  }
  return size > 0 ? std::sqrt(difference / size) : 1;
}

/** The gradient of the summed SFT losses of the records, given in groups. */
inline std::vector<std::vector<float>> gradients(
    Bench& bench, Adapter& adapter, const std::vector<std::vector<const Record*>>& groups) {
  adapter.clearGradients();
  for (const auto& records : groups) {
    const PackedBatch batch = packRecords(records, false);
    Forward forward = bench.network.forward(batch, &adapter, true);
    const auto outcomes =
        computeLosses(LossKind::sft, {}, collectSums(batch, forward.values, records));
    bench.network.backward(batch, adapter, forward, labelWeights(batch, outcomes, 1.0));
  }
  std::vector<std::vector<float>> result;
  for (const Adapter::Parameter& parameter : adapter.parameters()) {
    result.push_back(readFloats(parameter.gradient));
  }
  return result;
}

}  // namespace preflexor::testing
