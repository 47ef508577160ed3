// Gradients of every LoRA tensor against finite differences, on tiny random models of each
// architecture and for every loss.
#include "check.hpp"
#include "selfTest.hpp"

using namespace preflexor;
using preflexor::testing::cpuOptions;
using preflexor::testing::TemporaryFolder;

namespace {

void checkModel(const TinyModelOptions& model, const GradientSubject& subject) {
  const TemporaryFolder folder;
  Backend backend(cpuOptions());
  const GradientCheck result = checkGradients(backend, model, subject, folder.path());
  CHECK(result.tensors == 14 * tinyLayers(model.architecture));
  CHECK_NEAR(result.largestError, 0, gradientTolerance);
}

}  // namespace

TEST_CASE("given a tiny llama, when every loss is differentiated, then differences agree") {
  for (const LossKind kind : allLossKinds) checkModel({"llama", true, false, 21}, {kind});
}

TEST_CASE("given a tiny llama with rope factors and an own head, then differences agree") {
  checkModel({"llama", false, true, 22}, {LossKind::orpo});
}

TEST_CASE("given a tiny qwen2 with biases, then differences agree") {
  checkModel({"qwen2", true, false, 23}, {LossKind::orpo});
}

TEST_CASE("given a tiny qwen3 with head norms, then differences agree") {
  checkModel({"qwen3", true, false, 24}, {LossKind::orpo});
}

TEST_CASE("given a tiny gemma3 with windows and norms after its parts, then differences agree") {
  checkModel({"gemma3", true, false, 25}, {LossKind::orpo});
}

TEST_CASE("given dropout, when differentiated with the same masks, then differences agree") {
  checkModel({"llama", true, false, 26}, {LossKind::orpo, std::nullopt, 0.4});
}

TEST_CASE("given a replayed anchor, then differences agree") {
  checkModel({"llama", true, false, 27}, {LossKind::orpo, AnchorKind::replay});
}

TEST_CASE("given an anchor by divergence from the base model, then differences agree") {
  checkModel({"llama", false, false, 28}, {LossKind::orpo, AnchorKind::divergence});
  checkModel({"gemma3", true, false, 29}, {LossKind::orpo, AnchorKind::divergence, 0.2});
}
