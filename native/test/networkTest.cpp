// Equivalences of the network: packed is alone, shared prompts change nothing, an adapter with B =
// 0 is the base model, accumulation adds up, and attention looks only backwards.
#include "network.hpp"

#include "tinyBench.hpp"

using namespace preflexor;
using namespace preflexor::testing;

TEST_CASE("given packed records, when scored, then each has the sums that it has alone") {
  Bench bench;
  // Longer than a block of 128 queries, and not a multiple of 16.
  const Record first = makeRandomRecord(1, 140, 150, 33);
  const Record second = makeRandomRecord(2, 5, 1, 17);
  const auto together = bench.sums({&first, &second});
  const std::vector<const Record*> records = {&first, &second};
  for (size_t index = 0; index < records.size(); ++index) {
    const RecordSums alone = bench.sums({records[index]}).front();
    CHECK_NEAR(together[index].prompt->sum, alone.prompt->sum, 2e-3);
    CHECK_NEAR(together[index].chosen->sum, alone.chosen->sum, 2e-3);
    CHECK_NEAR(together[index].rejected->sum, alone.rejected->sum, 2e-3);
  }
}

TEST_CASE("given a shared prompt, when scored, then rejected has the sum that it has as chosen") {
  Bench bench;
  const Record both = makeRandomRecord(3, 20, 30, 40);
  Record swapped = both;
  std::swap(swapped.chosen, swapped.rejected);
  std::swap(swapped.chosenMask, swapped.rejectedMask);
  const RecordSums one = bench.sums({&both}).front();
  const RecordSums other = bench.sums({&swapped}).front();
  CHECK_NEAR(one.rejected->sum, other.chosen->sum, 1e-3);
  CHECK_NEAR(one.chosen->sum, other.rejected->sum, 1e-3);
}

TEST_CASE("given a prompt and a completion, when the split moves, then the text's sum stays") {
  Bench bench;
  const Record record = makeRandomRecord(4, 150, 60, 0);
  Record moved = record;
  moved.prompt.assign(record.prompt.begin(), record.prompt.begin() + 10);
  moved.chosen.assign(record.prompt.begin() + 10, record.prompt.end());
  moved.chosen.insert(moved.chosen.end(), record.chosen.begin(), record.chosen.end());
  moved.chosenMask.assign(moved.chosen.size(), 1);
  const RecordSums one = bench.sums({&record}).front();
  const RecordSums other = bench.sums({&moved}).front();
  CHECK_NEAR(one.prompt->sum + one.chosen->sum, other.prompt->sum + other.chosen->sum, 2e-3);
}

TEST_CASE(
    "given a changed last token, when scored, then earlier tokens keep their values exactly") {
  Bench bench;
  const Record record = makeRandomRecord(5, 30, 200, 0);
  Record changed = record;
  changed.chosen[150] = (changed.chosen[150] + 1) % tinyVocabulary;
  const auto score = [&](const Record& r) {
    const PackedBatch batch = packRecords({&r}, false);
    return bench.network.forward(batch, nullptr, false).values;
  };
  const std::vector<double> one = score(record);
  const std::vector<double> other = score(changed);
  for (size_t token = 0; token < 150; ++token) CHECK(one[token] == other[token]);
  CHECK(one[151] != other[151]);
}

TEST_CASE("given a fresh adapter, when scored, then it is the base model exactly") {
  Bench bench;
  Adapter adapter(bench.backend, bench.model,
                  uniformModules(bench.model, {LinearRole::value, LinearRole::gate}, 4, 8));
  adapter.initialise(77);
  const Record record = makeRandomRecord(6, 12, 25, 14);
  const RecordSums base = bench.sums({&record}).front();
  const RecordSums adapted = bench.sums({&record}, &adapter).front();
  CHECK(base.chosen->sum == adapted.chosen->sum);
  CHECK(base.rejected->sum == adapted.rejected->sum);
}

TEST_CASE("given a mask, when summed, then only the tokens that count are in the sum") {
  Bench bench;
  Record record = makeRandomRecord(7, 8, 10, 0);
  const PackedBatch batch = packRecords({&record}, false);
  const std::vector<double> each = bench.network.forward(batch, nullptr, false).values;
  record.chosenMask = {0, 1, 0, 0, 1, 1, 0, 0, 0, 1};
  const RecordSums masked = bench.sums({&record}).front();
  CHECK_NEAR(masked.chosen->sum, each[1] + each[4] + each[5] + each[9], 1e-5);
  CHECK(masked.chosen->tokens == 4);
}

TEST_CASE("given two records, when accumulated or packed, then the gradients agree") {
  Bench bench({"qwen3", false, false, 8});
  const std::unique_ptr<Adapter> held = bench.randomAdapter();
  Adapter& adapter = *held;
  const Record first = makeRandomRecord(8, 9, 30, 0);
  const Record second = makeRandomRecord(9, 21, 12, 0);
  const auto apart = gradients(bench, adapter, {{&first}, {&second}});
  const auto packed = gradients(bench, adapter, {{&first, &second}});
  for (size_t tensor = 0; tensor < apart.size(); ++tensor) {
    CHECK(relativeDifference(apart[tensor], packed[tensor]) < 1e-4);
  }
}

TEST_CASE("given memory to keep matmuls' results, then the gradients are those without, exactly") {
  for (const char* architecture : {"llama", "gemma3"}) {
    Bench bench({architecture, true, false, 12});
    const std::unique_ptr<Adapter> adapter = bench.randomAdapter();
    const Record record = makeRandomRecord(12, 20, 150, 0);
    const auto without = gradients(bench, *adapter, {{&record}});
    const size_t all = bench.network.bytesToKeepAll(packRecords({&record}, false));
    for (const size_t bytes : {all / 2, all}) {
      bench.network.setKeptBytes(bytes);
      CHECK(gradients(bench, *adapter, {{&record}}) == without);
    }
  }
}

TEST_CASE("given no BLAS library, when ggml multiplies, then sums and gradients agree") {
  BackendOptions plain = cpuOptions();
  plain.blas = false;
  for (const char* architecture : {"llama", "gemma3"}) {
    Bench fast({architecture, true, false, 13});
    Bench slow({architecture, true, false, 13}, plain);
    CHECK(fast.backend.blas() != nullptr && slow.backend.blas() == nullptr);
    const Record record = makeRandomRecord(13, 33, 140, 21);
    CHECK_NEAR(fast.sums({&record}).front().chosen->sum, slow.sums({&record}).front().chosen->sum,
               2e-3);
    const auto one = gradients(fast, *fast.randomAdapter(), {{&record}});
    const auto other = gradients(slow, *slow.randomAdapter(), {{&record}});
    for (size_t tensor = 0; tensor < one.size(); ++tensor) {
      CHECK(relativeDifference(one[tensor], other[tensor]) < 1e-4);
    }
  }
}

TEST_CASE("given a device that lacks backward operations, then composed ones give the gradients") {
  BackendOptions lacking = cpuOptions();
  lacking.lacking = {GGML_OP_RMS_NORM_BACK, GGML_OP_SOFT_MAX_BACK, GGML_OP_SILU_BACK};
  Bench whole({"qwen3", true, false, 16});
  Bench composed({"qwen3", true, false, 16}, lacking);
  const Record record = makeRandomRecord(16, 20, 140, 0);
  const auto expected = gradients(whole, *whole.randomAdapter(), {{&record}});
  const auto actual = gradients(composed, *composed.randomAdapter(), {{&record}});
  for (size_t tensor = 0; tensor < expected.size(); ++tensor) {
    CHECK(relativeDifference(expected[tensor], actual[tensor]) < 1e-5);
  }
}

TEST_CASE("given a device that lacks what nothing replaces, then it is refused and not computed") {
  BackendOptions lacking = cpuOptions();
  lacking.lacking = {GGML_OP_ROPE};
  Bench bench({}, lacking);
  const Record record = makeRandomRecord(17, 5, 5, 0);
  CHECK(testing::errorCode([&] { bench.sums({&record}); }) == "unsupported-operation");
}

TEST_CASE("given the frozen network itself, when compared, then it has not diverged") {
  Bench bench({"llama", false, false, 15});
  const std::unique_ptr<Adapter> adapter = bench.randomAdapter();
  const Record record = makeRandomRecord(15, 40, 0, 0);
  const PackedBatch batch = packRecords({&record}, true);
  const auto frozen = bench.network.hiddenStates(batch, nullptr);
  for (const double value : bench.network.divergence(batch, nullptr, frozen, false).values) {
    CHECK_NEAR(value, 0, 1e-5);
  }
  double total = 0;
  for (const double value : bench.network.divergence(batch, adapter.get(), frozen, false).values) {
    CHECK(value < 1e-5);
    total -= value;
  }
  CHECK(total > 0.1);
}

TEST_CASE("given BF16 weights, when scored, then sums stay close to F32") {
  Bench bench;
  BackendOptions options = cpuOptions();
  options.precision = Precision::bf16;
  Backend rough(options);
  Network network(rough, bench.model);
  const Record record = makeRandomRecord(10, 12, 40, 0);
  const PackedBatch batch = packRecords({&record}, false);
  const auto sums = collectSums(batch, network.forward(batch, nullptr, false).values, {&record});
  CHECK_NEAR(sums.front().chosen->sum, bench.sums({&record}).front().chosen->sum, 0.5);
}

TEST_CASE("given two threads, when scored, then sums are those of one thread") {
  Bench bench;
  Backend two(cpuOptions(2));
  Network network(two, bench.model);
  const Record record = makeRandomRecord(11, 12, 40, 7);
  const PackedBatch batch = packRecords({&record}, true);
  const auto sums = collectSums(batch, network.forward(batch, nullptr, false).values, {&record});
  CHECK_NEAR(sums.front().chosen->sum, bench.sums({&record}).front().chosen->sum, 1e-3);
}

TEST_CASE("given a device or a folder that is not there, when opened, then it is refused") {
  BackendOptions options = cpuOptions();
  options.device = "cuda";
  CHECK(testing::errorCode([&] { Backend{options}; }) == "device");
  options = cpuOptions();
  options.libraries = "/nowhere";
  CHECK(testing::errorCode([&] { Backend{options}; }) == "libraries");
}
