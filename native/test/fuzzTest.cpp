// Damaged models all the way through: opened, loaded, scored and trained on. Numbers in the
// metadata and in the tensor table are replaced by the ones that break careless code. Whatever
// comes must be refused with a TrainerError or give numbers; the sanitizers watch.
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "check.hpp"
#include "evaluation.hpp"
#include "model.hpp"
#include "network.hpp"
#include "random.hpp"
#include "tinyModel.hpp"

using namespace preflexor;
using preflexor::testing::cpuOptions;
using preflexor::testing::TemporaryFolder;

namespace {

constexpr std::array<std::uint64_t, 12> hostileNumbers = {0,
                                                          1,
                                                          2,
                                                          7,
                                                          0x7f,
                                                          0x7fffffff,
                                                          0x80000000,
                                                          0xffffffff,
                                                          0x100000000,
                                                          0x7fc00000 /* NaN */,
                                                          0x7fffffffffffffffULL,
                                                          0xffffffffffffffffULL};

/** Everything before the tensors' data: that is where numbers steer. */
size_t headLength(const std::string& bytes) {
  // The data begin after the last name of a tensor and what follows it.
  return bytes.rfind(".weight") + 64;
}

std::string damaged(std::string bytes, Random& random) {
  const size_t head = headLength(bytes);
  const auto changes = 1 + random.below(2);
  for (std::uint64_t change = 0; change < changes; ++change) {
    const size_t position = 4 + random.below(head - 4);
    const std::uint64_t number = hostileNumbers[random.below(hostileNumbers.size())];
    const size_t size = random.below(2) == 0 ? 4 : 8;
    std::memcpy(bytes.data() + position, &number, std::min(size, bytes.size() - position));
  }
  return bytes;
}

/** Scores a record and goes back through the network; throws TrainerError where it is refused. */
void use(Backend& backend, const std::string& path) {
  const Model model(path);
  Network network(backend, model);
  Adapter adapter(backend, model,
                  uniformModules(model, {LinearRole::query, LinearRole::down}, 2, 2));
  adapter.initialise(1);
  Record record = makeRandomRecord(1, 20, 9, 7);
  const auto vocabulary = static_cast<int32_t>(model.parameters().vocabulary);
  for (auto* tokens : {&record.prompt, &record.chosen, &record.rejected}) {
    for (int32_t& token : *tokens) token %= vocabulary;
  }
  const PackedBatch batch = packRecords({&record}, true);
  Forward forward = network.forward(batch, &adapter, true);
  network.backward(batch, adapter, forward, std::vector<double>(batch.labels.size(), 0.1));
}

}  // namespace

TEST_CASE("given models with hostile numbers, when scored and trained on, then nothing breaks") {
  const TemporaryFolder folder;
  Backend backend(cpuOptions());
  int refused = 0;
  int used = 0;
  for (const char* architecture : {"llama", "qwen2", "qwen3", "gemma3"}) {
    TinyModelOptions options;
    options.architecture = architecture;
    const std::string whole = makeTinyModel(options);
    Random random(8, RandomPurpose::test);
    for (int round = 0; round < 150; ++round) {
      const std::string path = folder.file("damaged.gguf");
      // A file that is written over would be flushed to the disk each time.
      std::filesystem::remove(path);
      std::ofstream(path, std::ios::binary) << damaged(whole, random);
      try {
        use(backend, path);
        ++used;
      } catch (const TrainerError& error) {
        CHECK(error.code() == "bad-model" || error.code() == "unsupported-model");
        ++refused;
      }
    }
  }
  // Both ends are reached: else the damage would be too small or too large to try anything.
  CHECK(refused > 100);
  CHECK(used > 20);
}
