// Implementation of trainer.hpp.
#include "trainer.hpp"

#include <sys/resource.h>

#include <chrono>
#include <cmath>

#include "adapterFiles.hpp"
#include "files.hpp"
#include "random.hpp"

namespace preflexor {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t valuesPerRecord = 4;
constexpr int lowPriorityNiceness = 10;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/** Largest resident memory of this process so far. */
double peakBytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
#ifdef __APPLE__
  return static_cast<double>(usage.ru_maxrss);
#else
  return static_cast<double>(usage.ru_maxrss) * 1024.0;
#endif
}

/** The mean of the values that are there. */
class Mean {
 public:
  void add(std::optional<double> value) {
    if (!value.has_value()) return;
    total_ += *value;
    ++count_;
  }
  std::optional<double> value() const {
    if (count_ == 0) return std::nullopt;
    return total_ / count_;
  }

 private:
  double total_ = 0;
  double count_ = 0;
};

Metrics summarise(const std::vector<LossOutcome>& outcomes) {
  Mean loss;
  Mean chosen;
  Mean rejected;
  Mean margin;
  Mean accuracy;
  for (const LossOutcome& outcome : outcomes) {
    loss.add(outcome.loss);
    chosen.add(outcome.rewardChosen);
    rejected.add(outcome.rewardRejected);
    if (outcome.rewardChosen.has_value() && outcome.rewardRejected.has_value()) {
      margin.add(*outcome.rewardChosen - *outcome.rewardRejected);
      accuracy.add(*outcome.rewardChosen > *outcome.rewardRejected ? 1.0 : 0.0);
    }
  }
  return {loss.value().value_or(0), chosen.value(), rejected.value(), margin.value(),
          accuracy.value()};
}

Event optionalEvent(const std::optional<double>& value) {
  return value.has_value() ? Event(*value) : Event(nullptr);
}

Event metricsEvent(const Metrics& metrics) {
  return {{"loss", metrics.loss},
          {"rewards/chosen", optionalEvent(metrics.rewardChosen)},
          {"rewards/rejected", optionalEvent(metrics.rewardRejected)},
          {"rewards/margins", optionalEvent(metrics.margin)},
          {"rewards/accuracies", optionalEvent(metrics.accuracy)}};
}

std::unique_ptr<Adapter> startingAdapter(Backend& backend, const Model& model,
                                         const Config& config) {
  if (!config.adapter.empty()) return readPeftAdapter(backend, model, config.adapter);
  const TrainConfig& train = *config.train;
  auto adapter = std::make_unique<Adapter>(
      backend, model, uniformModules(model, train.targets, train.rank, train.alpha));
  adapter->initialise(train.seed);
  return adapter;
}

}  // namespace

ReferenceCache::ReferenceCache(Network& network, const Adapter* reference, size_t records)
    : network_(network), reference_(reference), values_(records * valuesPerRecord, std::nan("")) {}

RecordSums ReferenceCache::get(size_t index, const Record& record) {
  double* slot = values_.data() + index * valuesPerRecord;
  if (std::isnan(slot[0])) {
    const std::vector<const Record*> records = {&record};
    const PackedBatch batch = packRecords(records, false);
    const Forward forward = network_.forward(batch, reference_, false);
    const RecordSums sums = collectSums(batch, forward.logProbabilities, records).front();
    const SequenceSum chosen = sums.chosen.value_or(SequenceSum{});
    const SequenceSum rejected = sums.rejected.value_or(SequenceSum{});
    slot[0] = chosen.sum;
    slot[1] = chosen.tokens;
    slot[2] = rejected.sum;
    slot[3] = rejected.tokens;
  }
  RecordSums result;
  if (!record.chosen.empty()) result.chosen = SequenceSum{slot[0], slot[1]};
  if (!record.rejected.empty()) result.rejected = SequenceSum{slot[2], slot[3]};
  return result;
}

void ReferenceCache::restore(const std::vector<double>& values) {
  if (values.size() == values_.size()) values_ = values;
}

Trainer::Trainer(const Config& config)
    : config_(config),
      train_(*config.train),
      backend_(config.backend),
      model_(config.model),
      identity_(config.identity ^ model_.file().identity() ^
                (static_cast<std::uint64_t>(backend_.weightType()) << 56)) {
  checkRecords(config.records, model_, "records");
  checkRecords(train_.heldout, model_, "heldout");
  makeFolders(train_.out);
  adapter_ = startingAdapter(backend_, model_, config);
  if (!config.reference.empty()) {
    referenceAdapter_ = readPeftAdapter(backend_, model_, config.reference);
  }
  network_ = std::make_unique<Network>(backend_, model_);
  optimizer_ = std::make_unique<Optimizer>(train_.optimizer, *adapter_);
  reference_ = std::make_unique<ReferenceCache>(*network_, referenceAdapter_.get(),
                                                config.records.size() + train_.heldout.size());
}

const Record& Trainer::recordAt(size_t index) const {
  const size_t training = config_.records.size();
  return index < training ? config_.records[index] : train_.heldout[index - training];
}

std::string Trainer::checkpointPath() const {
  return train_.out + "/checkpoint.safetensors";
}

std::vector<size_t> Trainer::recordsOfMicroBatch(std::uint64_t microBatch) {
  const std::uint64_t count = config_.records.size();
  std::vector<size_t> records;
  for (std::uint64_t slot = 0; slot < static_cast<std::uint64_t>(train_.batch); ++slot) {
    const std::uint64_t place = microBatch * static_cast<std::uint64_t>(train_.batch) + slot;
    const std::uint64_t epoch = place / count;
    if (epoch != orderEpoch_) {
      order_ = epochOrder(train_.seed, epoch, static_cast<std::uint32_t>(count));
      orderEpoch_ = epoch;
    }
    records.push_back(order_[place % count]);
  }
  return records;
}

std::vector<LossOutcome> Trainer::outcomesOf(const std::vector<size_t>& records,
                                             const PackedBatch& batch,
                                             const std::vector<double>& logProbabilities) {
  std::vector<const Record*> pointers;
  for (const size_t index : records) pointers.push_back(&recordAt(index));
  std::vector<RecordSums> sums = collectSums(batch, logProbabilities, pointers);
  if (needsReference(train_.loss)) {
    for (size_t slot = 0; slot < records.size(); ++slot) {
      attachReference(sums[slot], reference_->get(records[slot], *pointers[slot]));
    }
  }
  return computeLosses(train_.loss, config_.losses, sums);
}

std::vector<LossOutcome> Trainer::accumulate(const std::vector<size_t>& records, double factor) {
  std::vector<const Record*> pointers;
  for (const size_t index : records) pointers.push_back(&recordAt(index));
  const PackedBatch batch = packRecords(pointers, needsPromptSum(train_.loss));
  const Forward forward = network_->forward(batch, adapter_.get(), true);
  std::vector<LossOutcome> outcomes = outcomesOf(records, batch, forward.logProbabilities);
  const double share = factor / static_cast<double>(records.size());
  network_->backward(batch, *adapter_, forward, labelWeights(batch, outcomes, share));
  return outcomes;
}

StepResult Trainer::step() {
  StepResult result;
  std::vector<LossOutcome> outcomes;
  const auto accumulation = static_cast<std::uint64_t>(train_.accumulation);
  for (std::uint64_t part = 0; part < accumulation; ++part) {
    const std::vector<size_t> records =
        recordsOfMicroBatch(static_cast<std::uint64_t>(stepsDone_) * accumulation + part);
    for (const size_t index : records) result.tokens += countTokens(recordAt(index));
    for (const LossOutcome& outcome :
         accumulate(records, 1.0 / static_cast<double>(accumulation))) {
      outcomes.push_back(outcome);
    }
  }
  result.metrics = summarise(outcomes);
  result.gradientNorm = optimizer_->gradientNorm(*adapter_);
  result.learningRate = learningRateAt(train_.optimizer, stepsDone_, train_.steps);
  if (!std::isfinite(result.metrics.loss) || !std::isfinite(result.gradientNorm)) {
    adapter_->clearGradients();
    emitEvent("warning", {{"message", "The loss or its gradient is no finite number."},
                          {"step", stepsDone_ + 1},
                          {"loss", result.metrics.loss},
                          {"grad_norm", result.gradientNorm}});
    throw TrainerError("diverged",
                       "Training diverged in step " + std::to_string(stepsDone_ + 1) +
                           "; the adapter was not changed by that step.",
                       "Lower the learning rate; the last checkpoint is still good.");
  }
  optimizer_->update(*adapter_, stepsDone_, train_.steps, result.gradientNorm);
  ++stepsDone_;
  return result;
}

Metrics Trainer::evaluate() {
  std::vector<LossOutcome> outcomes;
  for (size_t index = 0; index < train_.heldout.size(); ++index) {
    const size_t place = config_.records.size() + index;
    const PackedBatch batch = packRecords({&recordAt(place)}, needsPromptSum(train_.loss));
    const Forward forward = network_->forward(batch, adapter_.get(), false);
    outcomes.push_back(outcomesOf({place}, batch, forward.logProbabilities).front());
  }
  return summarise(outcomes);
}

void Trainer::saveCheckpoint() {
  writeCheckpoint(checkpointPath(), {stepsDone_, identity_, reference_->values()}, *adapter_,
                  *optimizer_);
}

bool Trainer::resume() {
  const auto state = readCheckpoint(checkpointPath(), identity_, *adapter_, *optimizer_);
  if (!state.has_value()) return false;
  stepsDone_ = state->step;
  reference_->restore(state->referenceSums);
  return true;
}

bool Trainer::obey(CommandReader& commands) {
  bool paused = false;
  for (;;) {
    const std::optional<Command> command = paused ? commands.wait() : commands.take();
    // A paused run whose starter has gone goes on rather than waiting for ever.
    if (!command.has_value()) {
      if (paused) emitEvent("resumed", {{"step", stepsDone_}});
      return true;
    }
    switch (*command) {
      case Command::pause:
        if (!paused) emitEvent("paused", {{"step", stepsDone_}});
        paused = true;
        break;
      case Command::resume:
        if (paused) emitEvent("resumed", {{"step", stepsDone_}});
        paused = false;
        break;
      case Command::checkpoint:
        saveCheckpoint();
        emitEvent("checkpoint", {{"step", stepsDone_}, {"file", checkpointPath()}});
        break;
      case Command::stop:
        return false;
    }
  }
}

void Trainer::emitEvaluation() {
  if (train_.heldout.empty()) return;
  Event event = {{"step", stepsDone_}, {"records", train_.heldout.size()}};
  event.update(metricsEvent(evaluate()));
  emitEvent("eval", event);
}

void Trainer::finish(bool stopped) {
  saveCheckpoint();
  emitEvent("checkpoint", {{"step", stepsDone_}, {"file", checkpointPath()}});
  const std::string gguf = train_.out + "/adapter.gguf";
  const std::string peft = train_.out + "/peft";
  writePeftAdapter(*adapter_, model_, peft);
  writeGgufAdapter(*adapter_, model_, gguf);
  emitEvent("done", {{"step", stepsDone_},
                     {"stopped", stopped},
                     {"adapter", train_.out},
                     {"gguf", gguf},
                     {"peft", peft},
                     {"peak_bytes", peakBytes()}});
}

void Trainer::run(CommandReader& commands) {
  const bool resumed = train_.resume && resume();
  double parameters = 0;
  for (const auto& parameter : adapter_->parameters()) {
    parameters += static_cast<double>(ggml_nelements(parameter.value));
  }
  emitEvent("started", {{"step", stepsDone_},
                        {"steps", train_.steps},
                        {"resumed", resumed},
                        {"records", config_.records.size()},
                        {"heldout", train_.heldout.size()},
                        {"parameters", parameters}});
  const Clock::time_point start = Clock::now();
  const int firstStep = stepsDone_;
  int evaluatedAt = -1;
  while (stepsDone_ < train_.steps) {
    if (!obey(commands)) return finish(true);
    const Clock::time_point stepStart = Clock::now();
    const StepResult result = step();
    const double perStep = secondsSince(start) / (stepsDone_ - firstStep);
    Event event = {{"step", stepsDone_}};
    event.update(metricsEvent(result.metrics));
    event.update({{"grad_norm", result.gradientNorm},
                  {"lr", result.learningRate},
                  {"tokens", result.tokens},
                  {"tokens_per_second", result.tokens / secondsSince(stepStart)},
                  {"peak_bytes", peakBytes()},
                  {"seconds_remaining", perStep * (train_.steps - stepsDone_)}});
    emitEvent("step", event);
    const auto due = [&](int every) { return every > 0 && stepsDone_ % every == 0; };
    if (due(train_.evaluateEvery)) {
      emitEvaluation();
      evaluatedAt = stepsDone_;
    }
    if (due(train_.checkpointEvery) && stepsDone_ < train_.steps) {
      saveCheckpoint();
      emitEvent("checkpoint", {{"step", stepsDone_}, {"file", checkpointPath()}});
    }
  }
  if (evaluatedAt != stepsDone_) emitEvaluation();
  finish(false);
}

void runTrain(const Config& config) {
  if (config.train->lowPriority) ::setpriority(PRIO_PROCESS, 0, lowPriorityNiceness);
  Trainer trainer(config);
  emitHello(trainer.backend());
  CommandReader commands;
  trainer.run(commands);
}

}  // namespace preflexor
