// Adapter files: what is written comes back, patterns and rsLoRA are understood, everything that is
// no plain LoRA is refused, and the GGUF file holds what libllama asks for.
#include "adapterFiles.hpp"
#include "check.hpp"
#include "files.hpp"
#include "random.hpp"
#include "safetensors.hpp"
#include "tinyModel.hpp"

using namespace preflexor;
using preflexor::testing::cpuOptions;
using preflexor::testing::errorCode;
using preflexor::testing::TemporaryFolder;

namespace {

struct Bench {
  Bench() : backend(cpuOptions()), model(write()) {}

  std::string write() const {
    writeFileAtomically(folder.file("tiny.gguf"), makeTinyModel({}));
    return folder.file("tiny.gguf");
  }

  std::unique_ptr<Adapter> adapter(const std::vector<LoraModule>& modules) {
    auto result = std::make_unique<Adapter>(backend, model, modules);
    Random random(2, RandomPurpose::test);
    for (const Adapter::Parameter& parameter : result->parameters()) {
      std::vector<float> values(static_cast<size_t>(ggml_nelements(parameter.value)));
      for (float& value : values) value = static_cast<float>(random.normal());
      ggml_backend_tensor_set(parameter.value, values.data(), 0, ggml_nbytes(parameter.value));
    }
    return result;
  }

  TemporaryFolder folder;
  Backend backend;
  Model model;
};

const std::vector<LoraModule> mixed = {{0, LinearRole::query, 4, 8},
                                       {0, LinearRole::down, 2, 8},
                                       {1, LinearRole::key, 4, 2},
                                       {1, LinearRole::gate, 4, 8}};

/** Replaces adapter_config.json of a written adapter and tells how reading it ends. */
std::string readWith(Bench& bench, const std::string& folder, const std::string& config) {
  writeFileAtomically(folder + "/adapter_config.json", config);
  return errorCode([&] { readPeftAdapter(bench.backend, bench.model, folder); });
}

}  // namespace

TEST_CASE(
    "given ranks and alphas that differ, when written as PEFT and read, then all is the same") {
  Bench bench;
  const auto adapter = bench.adapter(mixed);
  writePeftAdapter(*adapter, bench.model, bench.folder.file("peft"));
  const auto back = readPeftAdapter(bench.backend, bench.model, bench.folder.file("peft"));
  CHECK(back->modules().size() == mixed.size());
  for (size_t index = 0; index < mixed.size(); ++index) {
    CHECK(back->modules()[index].layer == mixed[index].layer);
    CHECK(back->modules()[index].role == mixed[index].role);
    CHECK(back->modules()[index].rank == mixed[index].rank);
    CHECK(back->tensors(index).scale == adapter->tensors(index).scale);
    CHECK(readFloats(back->tensors(index).a) == readFloats(adapter->tensors(index).a));
    CHECK(readFloats(back->tensors(index).bt) == readFloats(adapter->tensors(index).bt));
  }
}

TEST_CASE("given llama's query, when written as PEFT, then rows are in transformers' order") {
  Bench bench;
  const auto adapter = bench.adapter({{0, LinearRole::query, 1, 1}, {0, LinearRole::value, 1, 1}});
  writePeftAdapter(*adapter, bench.model, bench.folder.file("peft"));
  const SafeTensorsFile file =
      readSafeTensors(bench.folder.file("peft/adapter_model.safetensors"), "bad-adapter");
  const std::string prefix = "base_model.model.model.layers.0.self_attn.";
  const auto& query = file.tensors.at(prefix + "q_proj.lora_B.weight").floats;
  const auto& value = file.tensors.at(prefix + "v_proj.lora_B.weight").floats;
  const std::vector<float> mine = readFloats(adapter->tensors(0).bt);
  // Heads are 16 wide: transformers' row 1 of a head is GGUF's row 2, its row 8 is GGUF's row 1.
  CHECK(query[0] == mine[0]);
  CHECK(query[1] == mine[2]);
  CHECK(query[8] == mine[1]);
  CHECK(query[16 + 9] == mine[16 + 3]);
  CHECK(value == readFloats(adapter->tensors(1).bt));
}

TEST_CASE(
    "given scales that differ, when written as GGUF, then names, shapes and products are right") {
  Bench bench;
  const auto adapter = bench.adapter(mixed);
  const std::string path = bench.folder.file("adapter.gguf");
  writeGgufAdapter(*adapter, bench.model, path);
  const GgufFile file(path);
  CHECK(file.text("general.type") == "adapter");
  CHECK(file.text("general.architecture") == "llama");
  CHECK(file.text("adapter.type") == "lora");
  const double alpha = file.number("adapter.lora.alpha").value_or(0);
  CHECK(file.tensors().size() == 2 * mixed.size());
  for (size_t index = 0; index < mixed.size(); ++index) {
    const std::string name = "blk." + std::to_string(mixed[index].layer) + "." +
                             ggufName(mixed[index].role) + ".weight.lora_";
    const GgufTensor* a = file.findTensor(name + "a");
    const GgufTensor* b = file.findTensor(name + "b");
    CHECK(a != nullptr && b != nullptr);
    CHECK(a->ne[0] == bench.model.inputWidth(mixed[index].role) && a->ne[1] == mixed[index].rank);
    CHECK(b->ne[0] == mixed[index].rank && b->ne[1] == bench.model.outputWidth(mixed[index].role));
    // Row 1 of B, column 0, times libllama's scale, is ours times our scale.
    const double theirs = static_cast<double>(reinterpret_cast<const float*>(b->data)[b->ne[0]]) *
                          alpha / mixed[index].rank;
    const double ours = static_cast<double>(readFloats(adapter->tensors(index).bt)[1]) *
                        static_cast<double>(adapter->tensors(index).scale);
    CHECK_NEAR(theirs, ours, 1e-6);
  }
}

TEST_CASE("given PEFT configurations, when read, then plain LoRA is taken and the rest refused") {
  Bench bench;
  const std::string folder = bench.folder.file("peft");
  writePeftAdapter(*bench.adapter(uniformModules(bench.model, {LinearRole::up}, 4, 8)), bench.model,
                   folder);
  CHECK(readWith(bench, folder, R"({"r": 4, "lora_alpha": 8})").empty());
  CHECK(readWith(bench, folder, R"({"r": 8, "rank_pattern": {"mlp.up_proj": 4}, "lora_alpha": 8})")
            .empty());
  CHECK(readWith(bench, folder, R"({"r": 8, "lora_alpha": 8})") == "bad-adapter");
  CHECK(readWith(bench, folder, R"({"r": 4, "use_dora": true})") == "bad-adapter");
  CHECK(readWith(bench, folder, R"({"r": 4, "bias": "all"})") == "bad-adapter");
  CHECK(readWith(bench, folder, R"({"r": 4, "modules_to_save": ["lm_head"]})") == "bad-adapter");
  CHECK(readWith(bench, folder, R"({"peft_type": "IA3"})") == "bad-adapter");
  CHECK(readWith(bench, folder, R"({"r": 4, "lora_alpha": "8"})") == "bad-adapter");
  CHECK(readWith(bench, folder, R"({"r": 4, "rank_pattern": {"(": 4}})") == "bad-adapter");
  CHECK(readWith(bench, folder, "no JSON") == "bad-adapter");
}

TEST_CASE("given rsLoRA, when read, then the scale is alpha by the root of the rank") {
  Bench bench;
  const std::string folder = bench.folder.file("peft");
  writePeftAdapter(*bench.adapter(uniformModules(bench.model, {LinearRole::up}, 4, 8)), bench.model,
                   folder);
  writeFileAtomically(folder + "/adapter_config.json",
                      R"({"r": 4, "lora_alpha": 8, "use_rslora": true})");
  CHECK_NEAR(
      static_cast<double>(readPeftAdapter(bench.backend, bench.model, folder)->tensors(0).scale), 4,
      1e-6);
}

TEST_CASE("given tensors of another model, when read, then the adapter is refused") {
  Bench bench;
  const std::string folder = bench.folder.file("peft");
  writePeftAdapter(*bench.adapter(uniformModules(bench.model, {LinearRole::up}, 4, 8)), bench.model,
                   folder);
  const std::string prefix = "base_model.model.model.layers.";
  const auto readTensors = [&](const std::string& name, const SafeTensor& tensor) {
    SafeTensorsFile file;
    file.tensors[prefix + name + ".lora_A.weight"] = tensor;
    file.tensors[prefix + name + ".lora_B.weight"] = tensor;
    writeFileAtomically(folder + "/adapter_model.safetensors", writeSafeTensors(file));
    return errorCode([&] { readPeftAdapter(bench.backend, bench.model, folder); });
  };
  CHECK(readTensors("0.mlp.up_proj", {{1, 1}, {1}, {}}) == "bad-adapter");
  CHECK(readTensors("7.mlp.up_proj", {{1, 1}, {1}, {}}) == "bad-adapter");
  CHECK(readTensors("0.mlp.router", {{1, 1}, {1}, {}}) == "bad-adapter");
  CHECK(readTensors("0.mlp.up_proj", {{}, {1}, {}}) == "bad-adapter");
}

TEST_CASE("given a seed, when initialised, then A is within its bound and B is zero") {
  Bench bench;
  Adapter adapter(bench.backend, bench.model,
                  uniformModules(bench.model, {LinearRole::down}, 4, 8));
  adapter.initialise(5);
  const std::vector<float> a = readFloats(adapter.tensors(0).a);
  const float bound = 1.0F / std::sqrt(48.0F);
  double total = 0;
  for (const float value : a) {
    CHECK(std::abs(value) <= bound);
    total += static_cast<double>(value) * static_cast<double>(value);
  }
  // The variance of a uniform number in ±b is b² / 3.
  CHECK_NEAR(total / static_cast<double>(a.size()), 1.0 / 48.0 / 3.0, 0.0015);
  for (const float value : readFloats(adapter.tensors(0).bt)) CHECK(value == 0.0F);
  CHECK(a != readFloats(adapter.tensors(1).a));
}

TEST_CASE(
    "given patterns and layers, when modules are made, then each has its own rank and alpha") {
  Bench bench;
  LoraShape shape;
  shape.roles = {LinearRole::query, LinearRole::value};
  shape.layers = {1};
  shape.rank = 8;
  shape.alpha = 16;
  shape.rankPattern = {{"v_proj", 2}};
  shape.alphaPattern = {{"layers.1.self_attn.q_proj", 5}};
  const std::vector<LoraModule> modules = makeModules(bench.model, shape);
  CHECK(modules.size() == 2);
  CHECK(modules[0].layer == 1 && modules[0].role == LinearRole::query);
  CHECK(modules[0].rank == 8 && modules[0].alpha == 5);
  CHECK(modules[1].rank == 2 && modules[1].alpha == 16);
  CHECK(!matchesModule("layers.1.self_attn.q_proj", "proj"));
  CHECK(!matchesModule("layers.11.self_attn.q_proj", "layers.1.self_attn.q_proj"));
}
