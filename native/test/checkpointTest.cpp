// Training runs on a tiny model: they learn, resume bit for bit, accumulate alike, refuse what is
// not theirs, and stop when numbers are no longer finite.
#include "check.hpp"
#include "files.hpp"
#include "tinyModel.hpp"
#include "trainer.hpp"

using namespace preflexor;
using preflexor::testing::errorCode;
using preflexor::testing::libraries;
using preflexor::testing::TemporaryFolder;

namespace {

struct Run {
  Run() {
    writeFileAtomically(folder.file("tiny.gguf"), makeTinyModel({}));
    config.backend = testing::cpuOptions();
    config.model = folder.file("tiny.gguf");
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      config.records.push_back(makeRandomRecord(100 + seed, 6, 12, 9));
    }
    config.identity = 42;
    TrainConfig train;
    train.out = folder.file("out");
    train.loss = LossKind::dpo;
    train.heldout = {makeRandomRecord(200, 6, 12, 9)};
    train.lora.rank = 4;
    train.lora.alpha = 8;
    train.optimizer.learningRate = 5e-3;
    train.steps = 12;
    train.batch = 2;
    config.train = train;
  }

  std::vector<double> losses(Trainer& trainer, int steps) const {
    std::vector<double> result;
    for (int step = 0; step < steps; ++step) {
      const StepResult one = trainer.step();
      result.push_back(one.metrics.loss);
      result.push_back(one.gradientNorm);
    }
    return result;
  }

  TemporaryFolder folder;
  Config config;
};

std::vector<std::vector<float>> values(const Trainer& trainer) {
  std::vector<std::vector<float>> result;
  for (const auto& parameter : trainer.adapter().parameters()) {
    result.push_back(readFloats(parameter.value));
  }
  return result;
}

}  // namespace

TEST_CASE("given pairs, when trained, then the loss falls and the margin grows") {
  Run run;
  Trainer trainer(run.config);
  const std::vector<double> losses = run.losses(trainer, 12);
  // The reference is computed alone and the policy packed: a matmul's rounding depends on its
  // shape.
  CHECK_NEAR(losses[0], std::log(2.0), 1e-6);
  CHECK(losses[losses.size() - 2] < 0.6);
  const Metrics metrics = trainer.evaluate();
  CHECK(metrics.margin.has_value() && metrics.accuracy.has_value());
}

TEST_CASE(
    "given a checkpoint in mid-epoch, when resumed, then losses and adapter are the same bit for bit") {
  Run run;
  Trainer unbroken(run.config);
  const std::vector<double> expected = run.losses(unbroken, 9);
  std::vector<double> actual;
  {
    Trainer first(run.config);
    actual = run.losses(first, 4);
    first.saveCheckpoint();
    // Steps after the checkpoint are lost with the process and must come out the same again.
    run.losses(first, 2);
  }
  Trainer second(run.config);
  CHECK(second.resume());
  CHECK(second.stepsDone() == 4);
  for (const double value : run.losses(second, 5)) actual.push_back(value);
  CHECK(actual == expected);
  CHECK(values(second) == values(unbroken));
}

TEST_CASE("given an anchor and dropout, when resumed, then the run is the same bit for bit") {
  Run run;
  run.config.train->dropout = 0.2;
  run.config.train->anchor = AnchorOptions{};
  run.config.train->anchor->perStep = 2;
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    run.config.train->anchor->sequences.push_back(makeRandomRecord(300 + seed, 20, 0, 0).prompt);
  }
  Trainer unbroken(run.config);
  const std::vector<double> expected = run.losses(unbroken, 7);
  std::vector<double> actual;
  {
    Trainer first(run.config);
    actual = run.losses(first, 3);
    first.saveCheckpoint();
  }
  Trainer second(run.config);
  CHECK(second.resume());
  for (const double value : run.losses(second, 4)) actual.push_back(value);
  CHECK(actual == expected);
  CHECK(values(second) == values(unbroken));
}

TEST_CASE(
    "given a step that is interrupted anywhere, when taken again, then nothing of it is left") {
  Run run;
  Trainer unbroken(run.config);
  const std::vector<double> expected = run.losses(unbroken, 3);
  // Before one of its graphs, or between the operations of one; the reference's graphs are the
  // first.
  for (const int patience : {1, 2, 5, 7, 11, 40}) {
    for (const bool within : {false, true}) {
      Trainer trainer(run.config);
      std::vector<double> actual = run.losses(trainer, 1);
      int asked = 0;
      const auto enough = [&] { return ++asked > patience; };
      trainer.backend().attend({[&] {
                                  if (!within && enough()) throw Interrupted{};
                                },
                                [&] { return within && enough(); }});
      bool interrupted = false;
      try {
        trainer.step();
      } catch (const Interrupted&) {
        interrupted = true;
        trainer.abandonStep();
      }
      trainer.backend().attend({});
      CHECK(interrupted == (patience < 40 || within));
      if (!interrupted) continue;
      CHECK(trainer.stepsDone() == 1);
      for (const double value : run.losses(trainer, 2)) actual.push_back(value);
      CHECK(actual == expected);
      CHECK(values(trainer) == values(unbroken));
    }
  }
}

TEST_CASE("given dropout, when trained, then losses are not those without") {
  Run run;
  Trainer without(run.config);
  const std::vector<double> plain = run.losses(without, 4);
  run.config.train->dropout = 0.5;
  Trainer with(run.config);
  CHECK(run.losses(with, 4) != plain);
}

TEST_CASE("given an anchor, when trained, then the adapter stays closer to the base model there") {
  const auto divergence = [](double weight) {
    Run run;
    run.config.train->anchor = AnchorOptions{};
    run.config.train->anchor->weight = weight;
    run.config.train->anchor->sequences = {makeRandomRecord(300, 40, 0, 0).prompt};
    Trainer trainer(run.config);
    double last = 0;
    for (int step = 0; step < 12; ++step) last = *trainer.step().anchorLoss;
    return last;
  };
  CHECK(divergence(20) < 0.5 * divergence(0));
}

TEST_CASE("given a folder for reference sums, when a second run starts, then it finds them") {
  Run run;
  run.config.train->referenceCache = run.folder.file("cache");
  Trainer first(run.config);
  const std::vector<double> losses = run.losses(first, 3);
  CHECK(first.referenceSumsFound() == 0);
  first.saveCheckpoint();
  Trainer second(run.config);
  CHECK(run.losses(second, 3) == losses);
  CHECK(second.referenceSumsFound() == 5);
  // Damage is no reason to fail.
  for (const auto& entry : std::filesystem::directory_iterator(run.folder.file("cache"))) {
    writeFileAtomically(entry.path().string(), "nonsense");
  }
  Trainer third(run.config);
  CHECK(run.losses(third, 3) == losses);
  CHECK(third.referenceSumsFound() == 0);
}

TEST_CASE("given a budget that cannot suffice, when run, then it is refused with numbers") {
  Run run;
  run.config.train->memoryBudget = 1e6;
  Trainer trainer(run.config);
  CHECK(errorCode([&] { trainer.planMemory(); }) == "memory");
  run.config.train->memoryBudget = 1e9;
  Trainer other(run.config);
  const MemoryNeed need = other.planMemory();
  CHECK(need.total() <= 1e9);
  CHECK(need.kept > 0);
}

TEST_CASE(
    "given an anchor of longer texts, when planned, then its work and its states are counted") {
  Run run;
  const double without = Trainer(run.config).planMemory().least();
  run.config.train->anchor = AnchorOptions{};
  run.config.train->anchor->sequences = {makeRandomRecord(300, 100, 0, 0).prompt,
                                         makeRandomRecord(301, 60, 0, 0).prompt};
  Trainer trainer(run.config);
  const MemoryNeed need = trainer.planMemory();
  const Model model(run.config.model);
  CHECK(need.anchor == 160.0 * static_cast<double>(model.parameters().width) * sizeof(float));
  CHECK(need.least() > without + need.anchor);
}

TEST_CASE("given no checkpoint, when resumed, then the run starts afresh") {
  Run run;
  Trainer trainer(run.config);
  CHECK(!trainer.resume());
  CHECK(trainer.stepsDone() == 0);
}

TEST_CASE("given another run's or a damaged checkpoint, when resumed, then it is refused") {
  Run run;
  {
    Trainer trainer(run.config);
    trainer.step();
    trainer.saveCheckpoint();
  }
  const std::string path = run.config.train->out + "/checkpoint.safetensors";
  const std::string good = readWholeFile(path);
  run.config.identity = 43;
  Trainer other(run.config);
  CHECK(errorCode([&] { other.resume(); }) == "bad-checkpoint");
  run.config.identity = 42;
  Trainer trainer(run.config);
  const auto before = values(trainer);
  for (const size_t length : {size_t{0}, size_t{7}, size_t{500}, good.size() - 1}) {
    writeFileAtomically(path, std::string_view(good).substr(0, length));
    CHECK(!errorCode([&] { trainer.resume(); }).empty());
  }
  CHECK(values(trainer) == before);
  writeFileAtomically(path, good);
  CHECK(trainer.resume());
}

TEST_CASE("given two records a step, when batched or accumulated, then the first steps agree") {
  Run run;
  Trainer batched(run.config);
  const std::vector<double> expected = run.losses(batched, 3);
  run.config.train->batch = 1;
  run.config.train->accumulation = 2;
  Trainer accumulated(run.config);
  const std::vector<double> actual = run.losses(accumulated, 3);
  for (size_t index = 0; index < actual.size(); ++index) {
    CHECK_NEAR(actual[index], expected[index], 1e-4 * (1 + std::abs(expected[index])));
  }
}

TEST_CASE(
    "given an absurd learning rate, when trained, then the run stops with its adapter unchanged") {
  Run run;
  run.config.train->optimizer.learningRate = 1e30;
  run.config.train->optimizer.clip = 0;
  Trainer trainer(run.config);
  std::vector<std::vector<float>> before;
  const std::string code = errorCode([&] {
    for (int step = 0; step < 12; ++step) {
      before = values(trainer);
      trainer.step();
    }
  });
  CHECK(code == "diverged");
  CHECK(trainer.stepsDone() > 0);
}

TEST_CASE(
    "given tokens that the model lacks or texts too long, when opened, then data are refused") {
  Run run;
  run.config.records[1].chosen[0] = tinyVocabulary;
  CHECK(errorCode([&] { Trainer{run.config}; }) == "bad-data");
  run.config.records[1] = makeRandomRecord(1, tinyContext - 5, 6, 2);
  CHECK(errorCode([&] { Trainer{run.config}; }) == "bad-data");
}
