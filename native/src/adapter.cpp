// Implementation of adapter.hpp.
#include "adapter.hpp"

#include <algorithm>
#include <cmath>

#include "random.hpp"

namespace preflexor {

Adapter::Adapter(Backend& backend, const Model& model, std::vector<LoraModule> modules)
    : model_(model),
      modules_(std::move(modules)),
      store_(4 * static_cast<int>(modules_.size()) + 1) {
  for (const LoraModule& module : modules_) {
    const std::string name =
        "blk." + std::to_string(module.layer) + "." + ggufName(module.role) + ".";
    const int64_t in = model.inputWidth(module.role);
    const int64_t out = model.outputWidth(module.role);
    LoraTensors tensors;
    tensors.a = store_.add(name + "a", GGML_TYPE_F32, in, module.rank);
    tensors.bt = store_.add(name + "bt", GGML_TYPE_F32, out, module.rank);
    tensors.gradientA = store_.add(name + "a gradient", GGML_TYPE_F32, in, module.rank);
    tensors.gradientBt = store_.add(name + "bt gradient", GGML_TYPE_F32, out, module.rank);
    tensors.scale = module.alpha / static_cast<float>(module.rank);
    tensors_.push_back(tensors);
  }
  store_.place(backend);
  for (const LoraTensors& tensors : tensors_) {
    parameters_.push_back({tensors.a, tensors.gradientA});
    parameters_.push_back({tensors.bt, tensors.gradientBt});
  }
  for (const Parameter& parameter : parameters_) {
    ggml_backend_tensor_memset(parameter.value, 0, 0, ggml_nbytes(parameter.value));
  }
  clearGradients();
}

std::array<const LoraTensors*, linearRoleCount> Adapter::layer(int index) const {
  std::array<const LoraTensors*, linearRoleCount> result{};
  for (size_t module = 0; module < modules_.size(); ++module) {
    if (modules_[module].layer == index) {
      result[static_cast<size_t>(modules_[module].role)] = &tensors_[module];
    }
  }
  return result;
}

double Adapter::parameterCount() const {
  double count = 0;
  for (const Parameter& parameter : parameters_) {
    count += static_cast<double>(ggml_nelements(parameter.value));
  }
  return count;
}

void Adapter::clearGradients() {
  for (const Parameter& parameter : parameters_) {
    ggml_backend_tensor_memset(parameter.gradient, 0, 0, ggml_nbytes(parameter.gradient));
  }
}

void Adapter::initialise(std::uint64_t seed) {
  for (size_t index = 0; index < modules_.size(); ++index) {
    const LoraModule& module = modules_[index];
    const auto stream = static_cast<std::uint64_t>(module.layer) * linearRoleCount +
                        static_cast<std::uint64_t>(module.role);
    Random random(seed, RandomPurpose::initialise, stream);
    const double bound = 1.0 / std::sqrt(static_cast<double>(model_.inputWidth(module.role)));
    std::vector<float> values(static_cast<size_t>(ggml_nelements(tensors_[index].a)));
    for (float& value : values) {
      value = static_cast<float>((2.0 * random.uniform() - 1.0) * bound);
    }
    ggml_backend_tensor_set(tensors_[index].a, values.data(), 0, ggml_nbytes(tensors_[index].a));
    ggml_backend_tensor_memset(tensors_[index].bt, 0, 0, ggml_nbytes(tensors_[index].bt));
  }
}

std::string moduleName(int layer, LinearRole role) {
  return "layers." + std::to_string(layer) + "." + peftPath(role);
}

bool matchesModule(const std::string& name, const std::string& pattern) {
  const std::string ending = "." + pattern;
  return name == pattern || (name.size() >= ending.size() &&
                             name.compare(name.size() - ending.size(), ending.size(), ending) == 0);
}

namespace {

template <typename Value>
Value patternValue(const std::vector<std::pair<std::string, Value>>& patterns,
                   const std::string& name, Value fallback) {
  for (const auto& [pattern, value] : patterns) {
    if (matchesModule(name, pattern)) return value;
  }
  return fallback;
}

template <typename Value>
bool holds(const std::vector<Value>& values, const Value& wanted) {
  return std::find(values.begin(), values.end(), wanted) != values.end();
}

}  // namespace

std::vector<LoraModule> makeModules(const Model& model, const LoraShape& shape) {
  std::vector<LoraModule> modules;
  for (int layer = 0; layer < model.parameters().layers; ++layer) {
    if (!shape.layers.empty() && !holds(shape.layers, layer)) continue;
    for (const LinearRole role : allLinearRoles) {
      if (!holds(shape.roles, role)) continue;
      const std::string name = moduleName(layer, role);
      modules.push_back({layer, role, patternValue(shape.rankPattern, name, shape.rank),
                         patternValue(shape.alphaPattern, name, shape.alpha)});
    }
  }
  return modules;
}

std::vector<LoraModule> uniformModules(const Model& model, const std::vector<LinearRole>& roles,
                                       int rank, float alpha) {
  LoraShape shape;
  shape.roles = roles;
  shape.rank = rank;
  shape.alpha = alpha;
  return makeModules(model, shape);
}

}  // namespace preflexor
