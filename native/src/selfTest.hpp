// The self-test: gradients against finite differences on tiny models of every architecture. Needs
// no model file; says whether this build computes rightly on this machine.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "anchor.hpp"
#include "backend.hpp"
#include "losses.hpp"
#include "tinyModel.hpp"

namespace preflexor {

struct GradientCheck {
  std::string name;
  int tensors = 0;
  double largestError = 0;  ///< over the tensors: |numeric − analytic| / (|analytic| + noise floor)
  bool passed = false;
};

/** Largest relative error that counts as agreement; float32 forward passes allow no less. */
inline constexpr double gradientTolerance = 2e-3;

/** What is differentiated: a loss over records or an anchor over their prompts, with dropout. */
struct GradientSubject {
  LossKind loss = LossKind::orpo;
  std::optional<AnchorKind> anchor{};
  double dropout = 0;
};

/**
 * For each LoRA tensor, the derivative along its own gradient by central differences against the
 * gradient's norm.
 */
GradientCheck checkGradients(Backend& backend, const TinyModelOptions& model,
                             const GradientSubject& subject, const std::string& temporaryFolder);

/** Runs all checks and emits a "self-test" event each, then "done". @returns whether all passed */
bool runSelfTest(const std::string& libraries);

}  // namespace preflexor
