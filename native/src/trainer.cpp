// Implementation of trainer.hpp.
#include "trainer.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>

#include "adapterFiles.hpp"
#include "files.hpp"
#include "random.hpp"
#include "system.hpp"

namespace preflexor {
namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
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
  std::vector<LoraModule> modules = makeModules(model, train.lora);
  if (modules.empty()) {
    throw TrainerError(
        "bad-config", "lora.layers names no layer of this model.",
        "The model has layers 0 to " + std::to_string(model.parameters().layers - 1) + ".");
  }
  auto adapter = std::make_unique<Adapter>(backend, model, std::move(modules));
  adapter->initialise(train.seed);
  return adapter;
}

/** Tells which file of reference sums belongs to a model, a reference and a type of weights. */
std::uint64_t referenceKey(const Model& model, const std::string& reference, ggml_type type) {
  std::string text = std::to_string(model.file().contentHash()) + " " + ggml_type_name(type);
  if (!reference.empty()) {
    text += readWholeFile(reference + "/adapter_config.json");
    text += readWholeFile(reference + "/adapter_model.safetensors");
  }
  return fingerprint(text);
}

double metricOf(const Metrics& metrics, EarlyStopMetric metric) {
  switch (metric) {
    case EarlyStopMetric::accuracy:
      return metrics.accuracy.value_or(0);
    case EarlyStopMetric::margin:
      return metrics.margin.value_or(0);
    case EarlyStopMetric::loss:
      break;
  }
  return metrics.loss;
}

/** Memory that is kept for sparing work where the configuration sets no budget. */
constexpr double usualBudget = 512.0 * (1 << 20);

/** Tokens that are computed for records, prompts shared. */
double packedTokens(const std::vector<Record>& records) {
  size_t total = 0;
  for (const Record& record : records) {
    total += record.prompt.size() + record.chosen.size() + record.rejected.size();
  }
  return static_cast<double>(total);
}

/** Tokens of an anchor that a step takes, on average. */
double anchorTokens(const AnchorOptions& anchor) {
  size_t total = 0;
  for (const auto& sequence : anchor.sequences) total += sequence.size();
  return static_cast<double>(total) / static_cast<double>(anchor.sequences.size()) * anchor.perStep;
}

void checkAnchor(const AnchorOptions& anchor, const Model& model) {
  std::vector<Record> records;
  for (const auto& sequence : anchor.sequences) {
    Record record;
    record.prompt = sequence;
    records.push_back(record);
  }
  checkRecords(records, model, "anchor.sequences");
}

}  // namespace

Trainer::Trainer(const Config& config)
    : config_(config),
      train_(*config.train),
      backend_(config.backend),
      model_(config.model),
      identity_(config.identity ^ model_.file().identity() ^
                (static_cast<std::uint64_t>(backend_.weightType()) << 56)),
      earlyStop_(train_.earlyStop.value_or(EarlyStopOptions{})) {
  checkRecords(config.records, model_, "records");
  checkRecords(train_.heldout, model_, "heldout");
  if (train_.anchor.has_value()) checkAnchor(*train_.anchor, model_);
  if (!train_.estimateOnly) makeFolders(train_.out);
  adapter_ = startingAdapter(backend_, model_, config);
  if (!config.reference.empty()) {
    referenceAdapter_ = readPeftAdapter(backend_, model_, config.reference);
  }
  network_ = std::make_unique<Network>(backend_, model_);
  optimizer_ = std::make_unique<Optimizer>(train_.optimizer, *adapter_);
  reference_ = std::make_unique<ReferenceSums>(*network_, referenceAdapter_.get(),
                                               config.records.size() + train_.heldout.size());
  if (!train_.referenceCache.empty() && needsReference(train_.loss)) {
    reference_->useFolder(train_.referenceCache,
                          referenceKey(model_, config.reference, backend_.weightType()));
  }
  if (train_.anchor.has_value()) {
    anchor_ =
        std::make_unique<Anchor>(*network_, referenceAdapter_.get(), *train_.anchor, train_.seed);
  }
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

std::vector<LossOutcome> Trainer::accumulate(std::uint64_t microBatch, double factor) {
  const std::vector<size_t> records = recordsOfMicroBatch(microBatch);
  std::vector<const Record*> pointers;
  for (const size_t index : records) pointers.push_back(&recordAt(index));
  const PackedBatch batch = packRecords(pointers, needsPromptSum(train_.loss));
  const Dropout dropout(train_.dropout, train_.seed, microBatch);
  Forward forward = network_->forward(batch, adapter_.get(), true, dropout);
  std::vector<LossOutcome> outcomes = outcomesOf(records, batch, forward.values);
  const double share = factor / static_cast<double>(records.size());
  network_->backward(batch, *adapter_, forward, labelWeights(batch, outcomes, share), dropout);
  return outcomes;
}

void Trainer::abandonStep() {
  adapter_->clearGradients();
}

StepResult Trainer::step() {
  StepResult result;
  std::vector<LossOutcome> outcomes;
  const auto accumulation = static_cast<std::uint64_t>(train_.accumulation);
  for (std::uint64_t part = 0; part < accumulation; ++part) {
    const std::uint64_t microBatch = static_cast<std::uint64_t>(stepsDone_) * accumulation + part;
    for (const size_t index : recordsOfMicroBatch(microBatch)) {
      result.tokens += countTokens(recordAt(index));
    }
    const auto some = accumulate(microBatch, 1.0 / static_cast<double>(accumulation));
    outcomes.insert(outcomes.end(), some.begin(), some.end());
  }
  if (anchor_ != nullptr) {
    // The anchor's masks come from a range of draws that no micro-batch reaches.
    constexpr std::uint64_t anchorDraws = std::uint64_t{1} << 40;
    const Dropout dropout(train_.dropout, train_.seed,
                          anchorDraws + static_cast<std::uint64_t>(stepsDone_));
    result.anchorLoss = anchor_->accumulate(stepsDone_, *adapter_, dropout);
  }
  result.metrics = summarise(outcomes);
  result.gradientNorm = optimizer_->gradientNorm(*adapter_);
  result.learningRate = learningRateAt(train_.optimizer, stepsDone_, train_.steps);
  requireConvergence(result);
  optimizer_->update(*adapter_, stepsDone_, train_.steps, result.gradientNorm);
  ++stepsDone_;
  return result;
}

void Trainer::requireConvergence(const StepResult& result) {
  const double loss = result.metrics.loss;
  const bool finite = std::isfinite(loss) && std::isfinite(result.gradientNorm) &&
                      std::isfinite(result.anchorLoss.value_or(0));
  if (finite && !divergence_.add(loss)) return;
  adapter_->clearGradients();
  emitEvent("warning", {{"message", finite ? "The loss has risen far above its lowest value."
                                           : "The loss or its gradient is no finite number."},
                        {"step", stepsDone_ + 1},
                        {"loss", loss},
                        {"grad_norm", result.gradientNorm}});
  throw TrainerError("diverged",
                     "Training diverged in step " + std::to_string(stepsDone_ + 1) + ".",
                     "Lower the learning rate.");
}

Metrics Trainer::evaluate() {
  std::vector<LossOutcome> outcomes;
  for (size_t index = 0; index < train_.heldout.size(); ++index) {
    const size_t place = config_.records.size() + index;
    const PackedBatch batch = packRecords({&recordAt(place)}, needsPromptSum(train_.loss));
    const Forward forward = network_->forward(batch, adapter_.get(), false);
    outcomes.push_back(outcomesOf({place}, batch, forward.values).front());
  }
  return summarise(outcomes);
}

void Trainer::saveCheckpoint() {
  writeCheckpoint(checkpointPath(),
                  {stepsDone_, !evaluating_, identity_, reference_->values(), divergence_.state(),
                   earlyStop_.state()},
                  *adapter_, *optimizer_);
  reference_->save();
}

void Trainer::saveAndTell() {
  saveCheckpoint();
  emitEvent("checkpoint", {{"step", stepsDone_}, {"file", checkpointPath()}});
}

bool Trainer::resume() {
  const auto state = readCheckpoint(checkpointPath(), identity_, *adapter_, *optimizer_);
  if (!state.has_value()) return false;
  stepsDone_ = state->step;
  evaluating_ = !state->evaluated;
  reference_->restore(state->referenceSums);
  divergence_.restore(state->divergence);
  earlyStop_.restore(state->earlyStop);
  return true;
}

PackedBatch Trainer::longestBatch() const {
  std::vector<const Record*> records;
  for (const Record& record : config_.records) records.push_back(&record);
  const auto length = [](const Record* record) {
    return record->prompt.size() + record->chosen.size() + record->rejected.size();
  };
  std::sort(records.begin(), records.end(),
            [&](const Record* left, const Record* right) { return length(left) > length(right); });
  records.resize(std::min(records.size(), static_cast<size_t>(train_.batch)));
  return packRecords(records, needsPromptSum(train_.loss));
}

MemoryNeed Trainer::planMemory() {
  const PackedBatch batch = longestBatch();
  MemoryNeed need = memoryNeed(model_, *network_, *adapter_, batch);
  std::int64_t tokens = batch.size();
  if (anchor_ != nullptr) {
    // One batch follows the other: the larger one's work counts, and what is kept between steps.
    const PackedBatch texts = anchor_->longestBatch();
    const MemoryNeed other = memoryNeed(model_, *network_, *adapter_, texts);
    if (other.least() > need.least()) {
      need = other;
      tokens = texts.size();
    }
    need.anchor = anchor_->stateBytes(model_.parameters().width);
  }
  const double available = availableBytes();
  const bool known = available > 0;
  const double machine = known ? available : need.least();
  const double most = train_.memoryBudget.value_or(known ? machine : usualBudget);
  if (need.least() > std::min(most, machine)) {
    throw TrainerError(
        "memory",
        "The run needs " + inWords(need.least()) + " and may take " +
            inWords(std::min(most, machine)) + ": " + inWords(need.model) + " for the model, " +
            inWords(need.adapter) + " for the adapter, " + inWords(need.activations + need.work) +
            " for " + std::to_string(tokens) + " tokens at a time, " +
            inWords(need.weights + need.anchor + need.program) + " for the rest.",
        "Use shorter texts, a smaller batch or rank, a smaller model, or close other "
        "programs.");
  }
  const double budget = train_.memoryBudget.value_or(std::min(usualBudget, machine));
  need.kept =
      std::clamp(budget - need.least(), 0.0, static_cast<double>(network_->bytesToKeepAll(batch)));
  network_->setKeptBytes(static_cast<size_t>(need.kept));
  return need;
}

void Trainer::estimate() {
  const MemoryNeed need = planMemory();
  const PackedBatch longest = longestBatch();
  const Network::Rehearsal rehearsal = network_->rehearse(longest, *adapter_);
  // From the longest batch to all texts, by their tokens.
  const auto tokens = static_cast<double>(longest.size());
  const double forward = rehearsal.forwardSeconds / tokens;
  const double training = rehearsal.trainingSeconds / tokens;
  const double heldout = packedTokens(train_.heldout);
  const double all = packedTokens(config_.records);
  double stepTokens =
      all / static_cast<double>(config_.records.size()) * train_.batch * train_.accumulation;
  if (train_.anchor.has_value()) stepTokens += anchorTokens(*train_.anchor);
  const double evaluations =
      1 + (train_.evaluateEvery > 0 ? (train_.steps - 1) / train_.evaluateEvery : 0);
  const double references = needsReference(train_.loss) ? all + heldout : 0;
  emitEvent("estimate", {{"bytes", need.total()},
                         {"least_bytes", need.least()},
                         {"available_bytes", availableBytes()},
                         {"model_bytes", need.model},
                         {"adapter_bytes", need.adapter},
                         {"kept_bytes", need.kept},
                         {"parameters", adapter_->parameterCount()},
                         {"seconds", training * stepTokens * train_.steps +
                                         forward * (heldout * evaluations + references)},
                         {"seconds_per_step", training * stepTokens}});
}

bool Trainer::pausedByFile() const {
  std::error_code error;
  return !train_.pauseFile.empty() && std::filesystem::exists(train_.pauseFile, error);
}

bool Trainer::evaluateAndWatch() {
  if (train_.heldout.empty()) return false;
  evaluating_ = true;
  const Metrics metrics = evaluate();
  evaluating_ = false;
  Event event = {{"step", stepsDone_}, {"records", train_.heldout.size()}};
  event.update(metricsEvent(metrics));
  emitEvent("eval", event);
  evaluatedAt_ = stepsDone_;
  return train_.earlyStop.has_value() &&
         earlyStop_.add(metricOf(metrics, train_.earlyStop->metric));
}

Event Trainer::writeAdapter() {
  const std::string gguf = train_.out + "/adapter.gguf";
  const std::string peft = train_.out + "/peft";
  writePeftAdapter(*adapter_, model_, peft);
  writeGgufAdapter(*adapter_, model_, gguf);
  return {{"adapter", train_.out}, {"gguf", gguf}, {"peft", peft}};
}

void Trainer::finish(const char* reason) {
  saveAndTell();
  Event event = {
      {"step", stepsDone_}, {"stopped", std::string(reason) == "stopped"}, {"reason", reason}};
  event.update(writeAdapter());
  event["peak_bytes"] = peakBytes();
  emitFallbacks(backend_);
  emitEvent("done", event);
}

void Trainer::reportStep(const StepResult& result, double seconds, double processor,
                         double secondsRemaining) {
  Event event = {{"step", stepsDone_}};
  event.update(metricsEvent(result.metrics));
  if (result.anchorLoss.has_value()) event["anchor_loss"] = *result.anchorLoss;
  event.update({{"grad_norm", result.gradientNorm},
                {"lr", result.learningRate},
                {"tokens", result.tokens},
                {"tokens_per_second", result.tokens / seconds},
                {"processor_seconds", processor},
                {"peak_bytes", peakBytes()},
                {"seconds_remaining", secondsRemaining}});
  emitEvent("step", event);
}

StepResult Trainer::stepOrFallBack() {
  try {
    return step();
  } catch (const TrainerError& error) {
    if (error.code() != "diverged") throw;
    const int failedAt = stepsDone_ + 1;
    const bool usable = lastCheckpoint_ >= 0 && resume();
    if (usable) writeAdapter();
    throw TrainerError(
        "diverged",
        std::string(error.what()) +
            (usable
                 ? " The adapter was written as it was in the last good checkpoint, after step " +
                       std::to_string(stepsDone_) + "."
                 : " There was no checkpoint before step " + std::to_string(failedAt) +
                       ", and no adapter was written."),
        error.hint());
  }
}

void Trainer::run(CommandReader& commands) {
  planMemory();
  const bool resumed = train_.resume && resume();
  if (resumed) lastCheckpoint_ = stepsDone_;
  emitEvent("started", {{"step", stepsDone_},
                        {"steps", train_.steps},
                        {"resumed", resumed},
                        {"records", config_.records.size()},
                        {"heldout", train_.heldout.size()},
                        {"parameters", adapter_->parameterCount()}});
  const Obedience obedience{[this]() -> Event { return {{"step", stepsDone_}}; },
                            [this] { return pausedByFile(); }, [this] { saveAndTell(); }};
  const char* reason = "stopped";
  if (!commands.obeyDuring(backend_, obedience, [&] { reason = takeSteps(commands); })) {
    abandonStep();
  }
  finish(reason);
}

const char* Trainer::takeSteps(const CommandReader& commands) {
  // A run that was stopped while it evaluated does so now.
  if (evaluating_ && evaluateAndWatch()) return "early-stop";
  double working = 0;
  const int firstStep = stepsDone_;
  while (stepsDone_ < train_.steps) {
    const double pausedBefore = commands.pausedSeconds();
    const Clock::time_point start = Clock::now();
    const double processorBefore = processorSeconds();
    const StepResult result = stepOrFallBack();
    const double seconds = secondsSince(start) - (commands.pausedSeconds() - pausedBefore);
    working += seconds;
    reportStep(result, seconds, processorSeconds() - processorBefore,
               working / (stepsDone_ - firstStep) * (train_.steps - stepsDone_));
    const auto due = [&](int every) { return every > 0 && stepsDone_ % every == 0; };
    if (due(train_.evaluateEvery) && evaluateAndWatch()) return "early-stop";
    if (due(train_.checkpointEvery) && stepsDone_ < train_.steps) {
      saveAndTell();
      lastCheckpoint_ = stepsDone_;
    }
  }
  if (evaluatedAt_ != stepsDone_) evaluateAndWatch();
  return "steps";
}

void runTrain(const Config& config) {
  if (config.train->lowPriority) lowerPriority();
  Trainer trainer(config);
  emitHello(trainer.backend());
  if (config.train->estimateOnly) {
    trainer.estimate();
    emitEvent("done", {{"peak_bytes", peakBytes()}});
    return;
  }
  CommandReader commands;
  trainer.run(commands);
}

}  // namespace preflexor
