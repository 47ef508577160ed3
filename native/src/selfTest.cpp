// Implementation of selfTest.hpp.
#include "selfTest.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "evaluation.hpp"
#include "files.hpp"
#include "protocol.hpp"
#include "random.hpp"
#include "system.hpp"

namespace preflexor {
namespace {

/** Longer than the tiny model's window, so that it matters. */
constexpr int promptTokens = 29;

AnchorOptions anchorOf(const std::vector<Record>& records, AnchorKind kind) {
  AnchorOptions options;
  for (const Record& record : records) options.sequences.push_back(record.chosen);
  options.kind = kind;
  options.weight = 0.7;
  options.perStep = 2;
  return options;
}

/** A loss over two records of a tiny model, or an anchor, as a function of the adapter. */
class Problem {
 public:
  Problem(Backend& backend, const std::string& modelPath, const GradientSubject& subject)
      : subject_(subject),
        model_(modelPath),
        adapter_(backend, model_, uniformModules(model_, allRoles(), 4, 8.0F)),
        network_(backend, model_),
        dropout_(subject.dropout, 3, 1),
        records_{makeRandomRecord(11, promptTokens, 19, 5), makeRandomRecord(12, 3, 4, 21)},
        anchorOptions_(anchorOf(records_, subject.anchor.value_or(AnchorKind::replay))),
        anchor_(network_, nullptr, anchorOptions_, 0) {
    records_[0].chosenMask[3] = 0;
    records_[1].rejectedMask[2] = 0;
    pointers_ = {&records_[0], &records_[1]};
    batch_ = packRecords(pointers_, needsPromptSum(subject.loss));
    reference_ = collectSums(batch_, network_.forward(batch_, nullptr, false).values, pointers_);
    // KTO's k = max(0, mean log-ratio) is not differentiated, but differences see it move: a more
    // certain reference keeps it at 0.
    if (subject.loss == LossKind::kto) {
      for (RecordSums& sums : reference_) {
        sums.chosen->sum += 5;
        sums.rejected->sum += 5;
      }
    }
    fillAdapter();
  }

  Adapter& adapter() { return adapter_; }

  double loss() {
    if (subject_.anchor.has_value()) {
      return anchorOptions_.weight * anchor_.evaluate(0, adapter_, dropout_);
    }
    return mean(outcomes(network_.forward(batch_, &adapter_, false, dropout_).values));
  }

  void computeGradients() {
    adapter_.clearGradients();
    if (subject_.anchor.has_value()) {
      anchor_.accumulate(0, adapter_, dropout_);
      return;
    }
    Forward forward = network_.forward(batch_, &adapter_, true, dropout_);
    network_.backward(
        batch_, adapter_, forward,
        labelWeights(batch_, outcomes(forward.values), 1.0 / static_cast<double>(records_.size())),
        dropout_);
  }

 private:
  static std::vector<LinearRole> allRoles() {
    return {allLinearRoles.begin(), allLinearRoles.end()};
  }

  void fillAdapter() {
    Random random(5, RandomPurpose::test);
    for (const Adapter::Parameter& parameter : adapter_.parameters()) {
      std::vector<float> values(static_cast<size_t>(ggml_nelements(parameter.value)));
      for (float& value : values) value = static_cast<float>(0.15 * random.normal());
      ggml_backend_tensor_set(parameter.value, values.data(), 0, ggml_nbytes(parameter.value));
    }
  }

  std::vector<LossOutcome> outcomes(const std::vector<double>& logProbabilities) const {
    std::vector<RecordSums> sums = collectSums(batch_, logProbabilities, pointers_);
    for (size_t index = 0; index < sums.size(); ++index) {
      attachReference(sums[index], reference_[index]);
    }
    return computeLosses(subject_.loss, LossParameters{}, sums);
  }

  static double mean(const std::vector<LossOutcome>& outcomes) {
    double total = 0;
    for (const LossOutcome& outcome : outcomes) total += outcome.loss;
    return total / static_cast<double>(outcomes.size());
  }

  GradientSubject subject_;
  Model model_;
  Adapter adapter_;
  Network network_;
  Dropout dropout_;
  std::vector<Record> records_;
  AnchorOptions anchorOptions_;
  Anchor anchor_;
  std::vector<const Record*> pointers_;
  PackedBatch batch_;
  std::vector<RecordSums> reference_;
};

double norm(const std::vector<float>& values) {
  double total = 0;
  for (const float value : values) {
    total += static_cast<double>(value) * static_cast<double>(value);
  }
  return std::sqrt(total);
}

/** The loss at value + step · direction; the tensor is put back afterwards. */
double lossAt(Problem& problem, ggml_tensor* tensor, const std::vector<float>& value,
              const std::vector<float>& direction, double step) {
  std::vector<float> moved = value;
  for (size_t index = 0; index < moved.size(); ++index) {
    moved[index] += static_cast<float>(step * static_cast<double>(direction[index]));
  }
  ggml_backend_tensor_set(tensor, moved.data(), 0, ggml_nbytes(tensor));
  const double loss = problem.loss();
  ggml_backend_tensor_set(tensor, value.data(), 0, ggml_nbytes(tensor));
  return loss;
}

double directionalError(Problem& problem, const Adapter::Parameter& parameter) {
  std::vector<float> direction = readFloats(parameter.gradient);
  const double expected = norm(direction);
  if (expected == 0) return 1;
  for (float& value : direction) value = static_cast<float>(value / expected);
  const std::vector<float> value = readFloats(parameter.value);
  const auto difference = [&](double step) {
    return (lossAt(problem, parameter.value, value, direction, step) -
            lossAt(problem, parameter.value, value, direction, -step)) /
           (2 * step);
  };
  // Richardson's extrapolation removes the error of second order, so that the steps can be long
  // enough to drown the noise of a float32 forward pass.
  constexpr double step = 0.02;
  const double numeric = (4 * difference(step / 2) - difference(step)) / 3;
  constexpr double noise = 1e-4;
  return std::abs(numeric - expected) / (expected + noise);
}

}  // namespace

GradientCheck checkGradients(Backend& backend, const TinyModelOptions& model,
                             const GradientSubject& subject, const std::string& temporaryFolder) {
  const std::string path = temporaryFolder + "/tiny-" + model.architecture + ".gguf";
  writeFileAtomically(path, makeTinyModel(model));
  Problem problem(backend, path, subject);
  problem.computeGradients();
  GradientCheck check;
  check.name = model.architecture + (model.ropeFactors ? ", rope factors" : "") +
               (model.tiedHead ? "" : ", own head") + ", ";
  if (subject.anchor.has_value()) {
    check.name += *subject.anchor == AnchorKind::replay ? "replayed anchor" : "kl anchor";
  } else {
    check.name += lossName(subject.loss);
  }
  if (subject.dropout > 0) check.name += ", dropout";
  for (const Adapter::Parameter& parameter : problem.adapter().parameters()) {
    check.largestError = std::max(check.largestError, directionalError(problem, parameter));
    ++check.tensors;
  }
  check.passed = check.largestError <= gradientTolerance;
  std::filesystem::remove(path);
  return check;
}

bool runSelfTest(const std::string& libraries) {
  BackendOptions options;
  options.libraries = libraries;
  options.precision = Precision::f32;
  Backend backend(options);
  emitHello(backend);
  const std::string folder = makeTemporaryFolder();
  const std::vector<std::pair<TinyModelOptions, GradientSubject>> cases = {
      {{"llama", true, false, 1}, {LossKind::orpo}},
      {{"llama", false, true, 2}, {LossKind::exoPair}},
      {{"qwen2", true, false, 3}, {LossKind::dpo}},
      {{"qwen3", false, false, 4}, {LossKind::simpo}},
      {{"gemma3", true, false, 5}, {LossKind::orpo}},
      {{"llama", true, false, 6}, {LossKind::orpo, AnchorKind::divergence}},
      {{"qwen3", true, false, 9}, {LossKind::orpo, AnchorKind::replay, 0.3}}};
  bool passed = true;
  for (const auto& [model, subject] : cases) {
    const GradientCheck check = checkGradients(backend, model, subject, folder);
    passed = passed && check.passed;
    emitEvent("self-test", {{"name", check.name},
                            {"passed", check.passed},
                            {"tensors", check.tensors},
                            {"largest_error", check.largestError},
                            {"tolerance", gradientTolerance}});
  }
  std::filesystem::remove_all(folder);
  emitEvent("done", {{"passed", passed}});
  return passed;
}

}  // namespace preflexor
