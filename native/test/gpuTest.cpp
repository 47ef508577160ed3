// The same numbers on a GPU as on the CPU. Where no GPU is found these are left out and say so; a
// software Vulkan device (Mesa's lavapipe, with GGML_VK_VISIBLE_DEVICES=0) serves as one.
#include "tinyBench.hpp"

using namespace preflexor;
using namespace preflexor::testing;

namespace {

/** The GPU that the libraries find; leaves the test out where there is none. */
BackendOptions gpuOptions() {
  BackendOptions options = cpuOptions();
  options.device = "gpu";
  if (errorCode([&] { Backend{options}; }) == "device") leaveOut("the libraries find no GPU here");
  return options;
}

}  // namespace

TEST_CASE("given a GPU, when each architecture is run, then sums and gradients are the CPU's") {
  const BackendOptions gpu = gpuOptions();
  for (const char* architecture : {"llama", "qwen2", "qwen3", "gemma3"}) {
    Bench there({architecture, true, false, 21}, gpu);
    Bench here({architecture, true, false, 21});
    CHECK(there.backend.onGpu() && !here.backend.onGpu());
    const Record record = makeRandomRecord(21, 20, 60, 30);
    const RecordSums expected = here.sums({&record}, here.randomAdapter().get()).front();
    const RecordSums actual = there.sums({&record}, there.randomAdapter().get()).front();
    CHECK_NEAR(actual.chosen->sum, expected.chosen->sum, 2e-2);
    CHECK_NEAR(actual.rejected->sum, expected.rejected->sum, 2e-2);
    const auto one = gradients(here, *here.randomAdapter(), {{&record}});
    const auto other = gradients(there, *there.randomAdapter(), {{&record}});
    for (size_t tensor = 0; tensor < one.size(); ++tensor) {
      CHECK(relativeDifference(one[tensor], other[tensor]) < 2e-3);
    }
  }
}

TEST_CASE("given a GPU that lacks an operation, then the CPU computes it and the numbers stay") {
  BackendOptions gpu = gpuOptions();
  gpu.lacking = {GGML_OP_ROPE, GGML_OP_RMS_NORM};
  Bench there({"llama", true, false, 22}, gpu);
  Bench here({"llama", true, false, 22});
  const Record record = makeRandomRecord(22, 10, 40, 0);
  CHECK_NEAR(there.sums({&record}).front().chosen->sum, here.sums({&record}).front().chosen->sum,
             2e-2);
  CHECK(there.backend.fallenBack().count("ROPE") == 1);
}

TEST_CASE("given a GPU, when divergence from the frozen model is taken, then it is the CPU's") {
  const BackendOptions gpu = gpuOptions();
  Bench there({"llama", false, false, 23}, gpu);
  Bench here({"llama", false, false, 23});
  const Record record = makeRandomRecord(23, 40, 0, 0);
  const PackedBatch batch = packRecords({&record}, true);
  double totals[2] = {0, 0};
  Bench* benches[2] = {&here, &there};
  for (int index = 0; index < 2; ++index) {
    Bench& bench = *benches[index];
    const auto adapter = bench.randomAdapter();
    const auto frozen = bench.network.hiddenStates(batch, nullptr);
    for (const double value :
         bench.network.divergence(batch, adapter.get(), frozen, false).values) {
      totals[index] -= value;
    }
  }
  CHECK(totals[0] > 0.1);
  CHECK_NEAR(totals[1], totals[0], 1e-2);
}

TEST_CASE("given the choice, then a GPU is taken where there is one") {
  BackendOptions options = cpuOptions();
  options.device = "gpu";
  const bool found = errorCode([&] { Backend{options}; }).empty();
  options.device = "auto";
  CHECK(Backend(options).onGpu() == found);
}
