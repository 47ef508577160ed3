// A LoRA adapter in memory: for each adapted linear map A, Bᵀ and their gradients. Reading and
// writing files is adapterFiles.hpp's job.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "backend.hpp"
#include "blocks/linear.hpp"
#include "model.hpp"

namespace preflexor {

/** One adapted linear map; A and Bᵀ as in LoraTensors. */
struct LoraModule {
  int layer = 0;
  LinearRole role = LinearRole::query;
  int rank = 0;
  float alpha = 0;  ///< scale × rank, whatever rule the scale came from
};

class Adapter {
 public:
  /** Allocates; every value is zero. @param modules ordered by layer, then role */
  Adapter(Backend& backend, const Model& model, std::vector<LoraModule> modules);

  const std::vector<LoraModule>& modules() const { return modules_; }
  const LoraTensors& tensors(size_t module) const { return tensors_[module]; }
  /** The modules of one layer by role; null where there is none. */
  std::array<const LoraTensors*, linearRoleCount> layer(int index) const;

  /** Every trained tensor with its gradient, in a fixed order: A and Bᵀ of each module. */
  struct Parameter {
    ggml_tensor* value;
    ggml_tensor* gradient;
  };
  const std::vector<Parameter>& parameters() const { return parameters_; }

  /** How many numbers are trained. */
  double parameterCount() const;

  void clearGradients();

  /**
   * PEFT's initialisation: A uniform in ±1/√in (Kaiming with a = √5), B zero. Each module draws
   * from its own stream, so that adding a role leaves the others' values as they were.
   */
  void initialise(std::uint64_t seed);

 private:
  const Model& model_;
  std::vector<LoraModule> modules_;
  std::vector<LoraTensors> tensors_;
  std::vector<Parameter> parameters_;
  TensorStore store_;
};

/** Which linear maps get an adapter, and how wide. */
struct LoraShape {
  std::vector<LinearRole> roles = {allLinearRoles.begin(), allLinearRoles.end()};
  std::vector<int> layers;  ///< empty: all
  int rank = 16;
  float alpha = 16;
  /** As PEFT's rank_pattern and alpha_pattern: a module's name or its end after a dot. */
  std::vector<std::pair<std::string, int>> rankPattern;
  std::vector<std::pair<std::string, float>> alphaPattern;
};

/** "layers.3.self_attn.q_proj": what patterns are matched with. */
std::string moduleName(int layer, LinearRole role);
/** Whether a module's name is `pattern` or ends in a dot and `pattern`. */
bool matchesModule(const std::string& name, const std::string& pattern);

/** The modules of a shape, by layer and role. */
std::vector<LoraModule> makeModules(const Model& model, const LoraShape& shape);

/** Modules of one rank and alpha for some roles in all layers. */
std::vector<LoraModule> uniformModules(const Model& model, const std::vector<LinearRole>& roles,
                                       int rank, float alpha);

}  // namespace preflexor
