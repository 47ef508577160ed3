// Implementation of checkpoint.hpp.
#include "checkpoint.hpp"

#include <charconv>
#include <cmath>
#include <filesystem>

#include "errors.hpp"
#include "files.hpp"
#include "safetensors.hpp"

namespace preflexor {
namespace {

constexpr const char* schema = "preflexor-checkpoint-2";
constexpr const char* referenceName = "reference";
constexpr const char* watchesName = "watches";
constexpr size_t watchedNumbers = 6;

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw TrainerError("bad-checkpoint", "The checkpoint " + path + " cannot be used: " + why + ".",
                     "Start the run again without \"resume\", or give the same configuration.");
}

template <typename Number>
Number parse(const SafeTensorsFile& file, const char* key, const std::string& path) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) refuse(path, std::string("it lacks ") + key);
  const std::string& text = found->second;
  Number value{};
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) {
    refuse(path, std::string(key) + " is no number");
  }
  return value;
}

const std::vector<float>& values(const SafeTensorsFile& file, const std::string& name, size_t count,
                                 const std::string& path) {
  const auto found = file.tensors.find(name);
  if (found == file.tensors.end() || found->second.floats.size() != count) {
    refuse(path, "the values of " + name + " are missing or of another length");
  }
  return found->second.floats;
}

template <typename Value>
std::string_view bytesOf(const std::vector<Value>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Value)};
}

}  // namespace

void writeCheckpoint(const std::string& path, const CheckpointState& state, const Adapter& adapter,
                     Optimizer& optimizer) {
  // One tensor in memory at a time: a checkpoint must not be what a run's memory breaks on.
  std::map<std::string, TensorSource> tensors;
  for (size_t index = 0; index < adapter.parameters().size(); ++index) {
    const ggml_tensor* tensor = adapter.parameters()[index].value;
    const std::string name = tensor->name;
    const std::vector<int64_t> shape = {ggml_nelements(tensor)};
    const auto& first = optimizer.firstMoments()[index];
    const auto& second = optimizer.secondMoments()[index];
    tensors[name] = {shape, false,
                     [tensor](const Sink& write) { write(bytesOf(readFloats(tensor))); }};
    tensors[name + ".m"] = {shape, false, [&first](const Sink& write) { write(bytesOf(first)); }};
    tensors[name + ".v"] = {shape, false, [&second](const Sink& write) { write(bytesOf(second)); }};
  }
  const auto& divergence = state.divergence;
  const auto& earlyStop = state.earlyStop;
  const std::vector<double> watches = {static_cast<double>(divergence.count),
                                       divergence.mean,
                                       divergence.lowest,
                                       static_cast<double>(earlyStop.evaluations),
                                       static_cast<double>(earlyStop.withoutImprovement),
                                       earlyStop.best};
  const auto doubles = [](const std::vector<double>& values) {
    return TensorSource{{static_cast<int64_t>(values.size())}, true, [&values](const Sink& write) {
                          write(bytesOf(values));
                        }};
  };
  tensors[referenceName] = doubles(state.referenceSums);
  tensors[watchesName] = doubles(watches);
  writeSafeTensors(path,
                   {{"schema", schema},
                    {"step", std::to_string(state.step)},
                    {"evaluated", state.evaluated ? "1" : "0"},
                    {"identity", std::to_string(state.identity)}},
                   tensors);
}

namespace {

void readWatches(const SafeTensorsFile& file, const std::string& path, CheckpointState& state) {
  const auto found = file.tensors.find(watchesName);
  if (found == file.tensors.end() || found->second.doubles.size() != watchedNumbers) {
    refuse(path, "the values of its watches are missing");
  }
  const std::vector<double>& numbers = found->second.doubles;
  for (const double number : numbers) {
    if (!std::isfinite(number) || std::abs(number) > 1e9) refuse(path, "its watches are damaged");
  }
  state.divergence = {static_cast<int>(numbers[0]), numbers[1], numbers[2]};
  state.earlyStop = {static_cast<int>(numbers[3]), static_cast<int>(numbers[4]), numbers[5]};
}

}  // namespace

std::optional<CheckpointState> readCheckpoint(const std::string& path, std::uint64_t identity,
                                              Adapter& adapter, Optimizer& optimizer) {
  if (!std::filesystem::exists(path)) return std::nullopt;
  SafeTensorsFile file = readSafeTensors(path, "bad-checkpoint");
  if (file.metadata["schema"] != schema) refuse(path, "it is of another kind or version");
  CheckpointState state;
  state.identity = parse<std::uint64_t>(file, "identity", path);
  state.step = parse<int>(file, "step", path);
  // Checkpoints of earlier versions do not say: there none was ever broken off.
  const auto evaluated = file.metadata.find("evaluated");
  state.evaluated = evaluated == file.metadata.end() || evaluated->second != "0";
  if (state.identity != identity) {
    refuse(path, "it belongs to a run with other data, settings or model");
  }
  state.referenceSums = file.tensors[referenceName].doubles;
  readWatches(file, path, state);
  const auto& parameters = adapter.parameters();
  // Everything is checked before anything is changed.
  for (const Adapter::Parameter& parameter : parameters) {
    const auto count = static_cast<size_t>(ggml_nelements(parameter.value));
    for (const char* suffix : {"", ".m", ".v"}) {
      values(file, std::string(parameter.value->name) + suffix, count, path);
    }
  }
  for (size_t index = 0; index < parameters.size(); ++index) {
    ggml_tensor* tensor = parameters[index].value;
    const std::string name = tensor->name;
    const auto count = static_cast<size_t>(ggml_nelements(tensor));
    ggml_backend_tensor_set(tensor, values(file, name, count, path).data(), 0, ggml_nbytes(tensor));
    optimizer.firstMoments()[index] = values(file, name + ".m", count, path);
    optimizer.secondMoments()[index] = values(file, name + ".v", count, path);
  }
  return state;
}

}  // namespace preflexor
