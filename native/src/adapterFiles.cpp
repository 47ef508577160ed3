// Implementation of adapterFiles.hpp. PEFT: A [R, in], B [out, R] with the last axis fastest; here
// A in the same memory order, B transposed.
#include "adapterFiles.hpp"

#include <charconv>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "errors.hpp"
#include "files.hpp"
#include "ggufWriter.hpp"
#include "safetensors.hpp"

namespace preflexor {
namespace {

using Json = nlohmann::json;

[[noreturn]] void refuse(const std::string& folder, const std::string& why) {
  throw TrainerError("bad-adapter", "The adapter in " + folder + " cannot be used: " + why + ".",
                     "Export a plain LoRA adapter of this model, for example by merging the rest "
                     "into the base model.");
}

std::string tensorName(const LoraModule& module, const char* side) {
  return "base_model.model.model.layers." + std::to_string(module.layer) + "." +
         peftPath(module.role) + ".lora_" + side + ".weight";
}

/** GGUF's row of transformers' row: per head, halves become neighbours. */
std::vector<size_t> ggufRows(const Model& model, LinearRole role) {
  const auto out = static_cast<size_t>(model.outputWidth(role));
  std::vector<size_t> rows(out);
  const auto heads = static_cast<size_t>(model.permutedHeads(role));
  for (size_t row = 0; row < out; ++row) rows[row] = row;
  if (heads == 0) return rows;
  const size_t width = out / heads;
  for (size_t row = 0; row < out; ++row) {
    const size_t head = row / width;
    const size_t half = row % width / (width / 2);
    const size_t pair = row % (width / 2);
    rows[row] = head * width + 2 * pair + half;
  }
  return rows;
}

/** Bᵀ [out, R] in GGUF's rows of PEFT's B [out][R]. */
std::vector<float> turnIn(const std::vector<float>& b, const std::vector<size_t>& rows,
                          size_t rank) {
  std::vector<float> bt(b.size());
  for (size_t row = 0; row < rows.size(); ++row) {
    for (size_t r = 0; r < rank; ++r) bt[r * rows.size() + rows[row]] = b[row * rank + r];
  }
  return bt;
}

std::vector<float> turnOut(const std::vector<float>& bt, const std::vector<size_t>& rows,
                           size_t rank) {
  std::vector<float> b(bt.size());
  for (size_t row = 0; row < rows.size(); ++row) {
    for (size_t r = 0; r < rank; ++r) b[row * rank + r] = bt[r * rows.size() + rows[row]];
  }
  return b;
}

/**
 * PEFT's pattern keys: a module matches when its name is, or ends in a dot and, the key. PEFT takes
 * keys as expressions; here they are names, in which a dot may be escaped.
 */
double patternValue(const Json& patterns, const std::string& module, double fallback,
                    const std::string& folder) {
  for (const auto& [pattern, value] : patterns.items()) {
    if (!value.is_number()) refuse(folder, "the pattern " + pattern + " is not given a number");
    std::string name;
    for (size_t index = 0; index < pattern.size(); ++index) {
      if (pattern[index] == '\\' && pattern[index + 1] == '.') continue;
      name += pattern[index];
    }
    if (name.find_first_of("\\^$*+?()[]{}|") != std::string::npos) {
      refuse(folder, "the pattern " + pattern + " is an expression and not a module's name");
    }
    if (matchesModule(module, name)) return value.get<double>();
  }
  return fallback;
}

class PeftConfig {
 public:
  explicit PeftConfig(const std::string& folder) : folder_(folder) {
    const std::string path = folder + "/adapter_config.json";
    json_ = Json::parse(readWholeFile(path), nullptr, false);
    if (!json_.is_object()) refuse(folder, "adapter_config.json is no JSON object");
    if (json_.value("peft_type", Json("LORA")) != "LORA") refuse(folder, "it is no LoRA adapter");
    refuseIfSet("use_dora", "it uses DoRA");
    refuseIfSet("lora_bias", "it trains biases");
    refuseIfSet("fan_in_fan_out", "its matrices are stored transposed");
    refuseIfSet("use_qalora", "it uses QALoRA");
    refuseIfSet("modules_to_save", "it carries whole trained modules (modules_to_save)");
    refuseIfSet("layer_replication", "it replicates layers");
    refuseIfSet("target_parameters", "it adapts single parameters");
    refuseIfSet("trainable_token_indices", "it trains token embeddings");
    const Json bias = json_.value("bias", Json("none"));
    if (bias != "none") refuse(folder, "it trains biases");
    alpha_ = number("lora_alpha", 8);
    rslora_ = isSet("use_rslora");
  }

  /** Scale × rank of one module. */
  float alpha(const std::string& module, int rank) const {
    const double alpha = patternValue(patterns("alpha_pattern"), module, alpha_, folder_);
    const double expected =
        patternValue(patterns("rank_pattern"), module, number("r", rank), folder_);
    if (expected != rank) {
      refuse(folder_, module + " has rank " + std::to_string(rank) +
                          ", which is not what adapter_config.json says");
    }
    return static_cast<float>(rslora_ ? alpha * std::sqrt(static_cast<double>(rank)) : alpha);
  }

 private:
  bool isSet(const char* key) const {
    const auto found = json_.find(key);
    if (found == json_.end() || found->is_null()) return false;
    if (found->is_boolean()) return found->get<bool>();
    return !found->empty();
  }

  void refuseIfSet(const char* key, const char* why) const {
    if (isSet(key)) refuse(folder_, why);
  }

  double number(const char* key, double fallback) const {
    const auto found = json_.find(key);
    if (found == json_.end() || found->is_null()) return fallback;
    if (!found->is_number() || found->get<double>() <= 0) {
      refuse(folder_, std::string(key) + " is no positive number");
    }
    return found->get<double>();
  }

  Json patterns(const char* key) const {
    const auto found = json_.find(key);
    return found != json_.end() && found->is_object() ? *found : Json::object();
  }

  std::string folder_;
  Json json_;
  double alpha_ = 8;
  bool rslora_ = false;
};

struct TensorPair {
  const SafeTensor* a = nullptr;
  const SafeTensor* b = nullptr;
};

/** Where a tensor belongs. */
struct TensorPlace {
  int layer = 0;
  LinearRole role = LinearRole::query;
  bool isA = false;
};

/** Understands "….layers.N.GROUP.MODULE.lora_A[.default].weight". */
TensorPlace placeOf(const std::string& name, const Model& model, const std::string& folder) {
  const auto unknown = [&]() {
    refuse(folder, "it holds the tensor " + name + ", which belongs to no known linear map");
  };
  const std::string marker = "layers.";
  const size_t start = name.find(marker);
  if (start == std::string::npos) unknown();
  TensorPlace place;
  const char* begin = name.data() + start + marker.size();
  const char* end = name.data() + name.size();
  const auto number = std::from_chars(begin, end, place.layer);
  if (number.ec != std::errc()) unknown();
  if (place.layer < 0 || place.layer >= model.parameters().layers) {
    refuse(folder, "it has a layer " + std::to_string(place.layer) + " and the model has only " +
                       std::to_string(model.parameters().layers));
  }
  const std::string rest(number.ptr, end);
  for (const LinearRole role : allLinearRoles) {
    for (const bool isA : {true, false}) {
      const std::string head = "." + peftPath(role) + (isA ? ".lora_A" : ".lora_B");
      if (rest == head + ".weight" || rest == head + ".default.weight") {
        return {place.layer, role, isA};
      }
    }
  }
  refuse(folder, "it adapts " + name + ", which is not supported");
}

/** The tensors by (layer, role). */
std::map<std::pair<int, LinearRole>, TensorPair> collect(const SafeTensorsFile& file,
                                                         const Model& model,
                                                         const std::string& folder) {
  std::map<std::pair<int, LinearRole>, TensorPair> pairs;
  for (const auto& [name, tensor] : file.tensors) {
    const TensorPlace place = placeOf(name, model, folder);
    TensorPair& pair = pairs[{place.layer, place.role}];
    (place.isA ? pair.a : pair.b) = &tensor;
  }
  if (pairs.empty()) refuse(folder, "it holds no LoRA tensors");
  return pairs;
}

LoraModule checkedModule(const Model& model, const PeftConfig& config, int layer, LinearRole role,
                         const TensorPair& pair, const std::string& folder) {
  const std::string name = "model.layers." + std::to_string(layer) + "." + peftPath(role);
  if (pair.a == nullptr || pair.b == nullptr) refuse(folder, name + " lacks A or B");
  const std::vector<int64_t>& a = pair.a->shape;
  const std::vector<int64_t>& b = pair.b->shape;
  if (a.size() != 2 || b.size() != 2 || a[0] != b[1] || a[0] < 1 || pair.a->floats.empty() ||
      pair.b->floats.empty()) {
    refuse(folder, name + " has malformed tensors");
  }
  if (a[1] != model.inputWidth(role) || b[0] != model.outputWidth(role)) {
    refuse(folder, name + " is " + std::to_string(a[1]) + " → " + std::to_string(b[0]) +
                       " wide and the model's is " + std::to_string(model.inputWidth(role)) +
                       " → " + std::to_string(model.outputWidth(role)));
  }
  const int rank = static_cast<int>(a[0]);
  return {layer, role, rank, config.alpha(name, rank)};
}

}  // namespace

std::unique_ptr<Adapter> readPeftAdapter(Backend& backend, const Model& model,
                                         const std::string& folder) {
  const PeftConfig config(folder);
  const SafeTensorsFile file =
      readSafeTensors(folder + "/adapter_model.safetensors", "bad-adapter");
  const auto pairs = collect(file, model, folder);
  std::vector<LoraModule> modules;
  for (const auto& [place, pair] : pairs) {
    modules.push_back(checkedModule(model, config, place.first, place.second, pair, folder));
  }
  auto adapter = std::make_unique<Adapter>(backend, model, modules);
  for (size_t index = 0; index < modules.size(); ++index) {
    const LoraModule& module = modules[index];
    const TensorPair& pair = pairs.at({module.layer, module.role});
    const LoraTensors& tensors = adapter->tensors(index);
    const std::vector<float> bt =
        turnIn(pair.b->floats, ggufRows(model, module.role), static_cast<size_t>(module.rank));
    ggml_backend_tensor_set(tensors.a, pair.a->floats.data(), 0, ggml_nbytes(tensors.a));
    ggml_backend_tensor_set(tensors.bt, bt.data(), 0, ggml_nbytes(tensors.bt));
  }
  return adapter;
}

namespace {

SafeTensorsFile peftTensors(const Adapter& adapter, const Model& model, bool gradients) {
  SafeTensorsFile file;
  file.metadata["format"] = "pt";
  for (size_t index = 0; index < adapter.modules().size(); ++index) {
    const LoraModule& module = adapter.modules()[index];
    const LoraTensors& tensors = adapter.tensors(index);
    const auto rank = static_cast<size_t>(module.rank);
    const std::vector<float> bt = readFloats(gradients ? tensors.gradientBt : tensors.bt);
    file.tensors[tensorName(module, "A")] = {{module.rank, model.inputWidth(module.role)},
                                             readFloats(gradients ? tensors.gradientA : tensors.a),
                                             {}};
    file.tensors[tensorName(module, "B")] = {{model.outputWidth(module.role), module.rank},
                                             turnOut(bt, ggufRows(model, module.role), rank),
                                             {}};
  }
  return file;
}

Json peftConfig(const Adapter& adapter, const Model& model) {
  const LoraModule& first = adapter.modules().front();
  Json targets = Json::array();
  Json ranks = Json::object();
  Json alphas = Json::object();
  std::array<bool, linearRoleCount> used{};
  std::set<int> layers;
  for (const LoraModule& module : adapter.modules()) {
    used[static_cast<size_t>(module.role)] = true;
    layers.insert(module.layer);
    const std::string name = moduleName(module.layer, module.role);
    if (module.rank != first.rank) ranks[name] = module.rank;
    if (module.alpha != first.alpha) alphas[name] = module.alpha;
  }
  for (const LinearRole role : allLinearRoles) {
    if (used[static_cast<size_t>(role)]) targets.push_back(peftName(role));
  }
  const bool everywhere = layers.size() == static_cast<size_t>(model.parameters().layers);
  return {{"peft_type", "LORA"},
          {"task_type", "CAUSAL_LM"},
          {"r", first.rank},
          {"lora_alpha", first.alpha},
          {"lora_dropout", 0.0},
          {"bias", "none"},
          {"target_modules", targets},
          {"layers_to_transform", everywhere ? Json(nullptr) : Json(layers)},
          {"rank_pattern", ranks},
          {"alpha_pattern", alphas},
          {"fan_in_fan_out", false},
          {"use_rslora", false},
          {"use_dora", false},
          {"inference_mode", true},
          {"modules_to_save", nullptr},
          {"base_model_name_or_path", nullptr}};
}

}  // namespace

void writePeftAdapter(const Adapter& adapter, const Model& model, const std::string& folder) {
  makeFolders(folder);
  writeFileAtomically(folder + "/adapter_model.safetensors",
                      writeSafeTensors(peftTensors(adapter, model, false)));
  writeFileAtomically(folder + "/adapter_config.json", peftConfig(adapter, model).dump(2) + "\n");
}

void writePeftGradients(const Adapter& adapter, const Model& model, const std::string& path) {
  writeFileAtomically(path, writeSafeTensors(peftTensors(adapter, model, true)));
}

void writeGgufAdapter(const Adapter& adapter, const Model& model, const std::string& path) {
  GgufWriter writer;
  const float alpha = adapter.modules().front().alpha;
  writer.addText("general.type", "adapter");
  writer.addText("general.architecture", model.parameters().architecture);
  writer.addText("adapter.type", "lora");
  writer.addFloat("adapter.lora.alpha", alpha);
  for (size_t index = 0; index < adapter.modules().size(); ++index) {
    const LoraModule& module = adapter.modules()[index];
    const LoraTensors& tensors = adapter.tensors(index);
    const auto rank = static_cast<size_t>(module.rank);
    const auto out = static_cast<size_t>(model.outputWidth(module.role));
    const std::string name =
        "blk." + std::to_string(module.layer) + "." + ggufName(module.role) + ".weight.lora_";
    // libllama scales by alpha / rank.
    const float fold = module.alpha / alpha;
    std::vector<size_t> rows(out);
    for (size_t row = 0; row < out; ++row) rows[row] = row;
    std::vector<float> b = turnOut(readFloats(tensors.bt), rows, rank);
    for (float& value : b) value *= fold;
    writer.addFloats(name + "a", {model.inputWidth(module.role), module.rank},
                     readFloats(tensors.a));
    writer.addFloats(name + "b", {module.rank, model.outputWidth(module.role)}, b);
  }
  writeFileAtomically(path, writer.finish());
}

}  // namespace preflexor
