// Implementation of optimizer.hpp.
#include "optimizer.hpp"

#include <algorithm>
#include <cmath>

namespace preflexor {

double learningRateAt(const OptimizerOptions& options, int step, int steps) {
  if (step < options.warmup) {
    return options.learningRate * static_cast<double>(step) / static_cast<double>(options.warmup);
  }
  const double left = std::max(1, steps - options.warmup);
  const double progress = std::min(1.0, static_cast<double>(step - options.warmup) / left);
  switch (options.schedule) {
    case Schedule::linear:
      return options.learningRate * (1 - progress);
    case Schedule::cosine:
      return options.learningRate * 0.5 * (1 + std::cos(3.14159265358979323846 * progress));
    case Schedule::constant:
      break;
  }
  return options.learningRate;
}

void adamwUpdate(const OptimizerOptions& options, double rate, int step, std::vector<float>& value,
                 const std::vector<float>& gradient, std::vector<float>& firstMoment,
                 std::vector<float>& secondMoment) {
  const auto beta1 = static_cast<float>(options.beta1);
  const auto beta2 = static_cast<float>(options.beta2);
  const auto rest1 = static_cast<float>(1 - options.beta1);
  const auto rest2 = static_cast<float>(1 - options.beta2);
  const auto keep = static_cast<float>(1 - rate * options.weightDecay);
  const auto epsilon = static_cast<float>(options.epsilon);
  const auto size = static_cast<float>(rate / (1 - std::pow(options.beta1, step)));
  const auto root = static_cast<float>(std::sqrt(1 - std::pow(options.beta2, step)));
  for (size_t index = 0; index < value.size(); ++index) {
    const float g = gradient[index];
    firstMoment[index] = beta1 * firstMoment[index] + rest1 * g;
    secondMoment[index] = beta2 * secondMoment[index] + rest2 * g * g;
    const float deviation = std::sqrt(secondMoment[index]) / root + epsilon;
    value[index] = value[index] * keep - size * (firstMoment[index] / deviation);
  }
}

Optimizer::Optimizer(const OptimizerOptions& options, const Adapter& adapter) : options_(options) {
  for (const Adapter::Parameter& parameter : adapter.parameters()) {
    const auto count = static_cast<size_t>(ggml_nelements(parameter.value));
    firstMoments_.emplace_back(count, 0.0F);
    secondMoments_.emplace_back(count, 0.0F);
  }
}

double Optimizer::gradientNorm(const Adapter& adapter) const {
  double total = 0;
  for (const Adapter::Parameter& parameter : adapter.parameters()) {
    for (const float value : readFloats(parameter.gradient)) {
      total += static_cast<double>(value) * static_cast<double>(value);
    }
  }
  return std::sqrt(total);
}

void Optimizer::update(Adapter& adapter, int step, int steps, double norm) {
  const double rate = learningRateAt(options_, step, steps);
  const double factor = options_.clip > 0 ? std::min(1.0, options_.clip / (norm + 1e-6)) : 1.0;
  for (size_t index = 0; index < adapter.parameters().size(); ++index) {
    const Adapter::Parameter& parameter = adapter.parameters()[index];
    std::vector<float> value = readFloats(parameter.value);
    std::vector<float> gradient = readFloats(parameter.gradient);
    for (float& g : gradient) g *= static_cast<float>(factor);
    adamwUpdate(options_, rate, step + 1, value, gradient, firstMoments_[index],
                secondMoments_[index]);
    ggml_backend_tensor_set(parameter.value, value.data(), 0, ggml_nbytes(parameter.value));
  }
  adapter.clearGradients();
}

}  // namespace preflexor
