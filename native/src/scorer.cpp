// Implementation of scorer.hpp.
#include "scorer.hpp"

#include "adapterFiles.hpp"
#include "evaluation.hpp"
#include "protocol.hpp"

namespace preflexor {
namespace {

Event sumEvent(const std::optional<SequenceSum>& sum) {
  // A prompt of one token predicts nothing: it has no mean.
  if (!sum.has_value() || sum->tokens == 0) return nullptr;
  return {{"sum", sum->sum}, {"mean", sum->mean()}, {"tokens", sum->tokens}};
}

Event perTokenEvent(const PackedBatch& batch, const std::vector<double>& logProbabilities) {
  Event prompt = Event::array();
  Event chosen = Event::array();
  Event rejected = Event::array();
  for (size_t label = 0; label < batch.labels.size(); ++label) {
    Event& list = batch.labels[label].part == Part::prompt   ? prompt
                  : batch.labels[label].part == Part::chosen ? chosen
                                                             : rejected;
    list.push_back(logProbabilities[label]);
  }
  return {{"prompt", prompt}, {"chosen", chosen}, {"rejected", rejected}};
}

/** Every loss that the record can have, with its derivatives. */
Event lossEvents(const LossParameters& parameters, const RecordSums& sums) {
  Event losses = Event::object();
  for (const LossKind kind : allLossKinds) {
    if (!fits(kind, sums.chosen.has_value(), sums.rejected.has_value())) {
      losses[lossName(kind)] = nullptr;
      continue;
    }
    const LossOutcome outcome = computeLosses(kind, parameters, {sums}).front();
    losses[lossName(kind)] = {{"loss", outcome.loss},
                              {"byChosen", outcome.byChosen},
                              {"byRejected", outcome.byRejected},
                              {"byFull", outcome.byFull}};
  }
  return losses;
}

class Scorer {
 public:
  explicit Scorer(const Config& config)
      : config_(config), backend_(config.backend), model_(config.model) {
    checkRecords(config.records, model_, "records");
    emitHello(backend_);
    if (!config.adapter.empty()) adapter_ = readPeftAdapter(backend_, model_, config.adapter);
    if (!config.reference.empty()) reference_ = readPeftAdapter(backend_, model_, config.reference);
    network_ = std::make_unique<Network>(backend_, model_);
  }

  void run() {
    CommandReader commands;
    const Obedience obedience{[this]() -> Event { return {{"step", scored_}}; }, {}, {}};
    const bool stopped = !commands.obeyDuring(backend_, obedience, [this] {
      for (; scored_ < config_.records.size(); ++scored_) scoreRecord(scored_);
    });
    emitFallbacks(backend_);
    Event done = {{"records", scored_}, {"stopped", stopped}};
    if (config_.score->gradientLoss.has_value() && !stopped) {
      writePeftGradients(*adapter_, model_, config_.score->gradientFile);
      done["gradient"] = config_.score->gradientFile;
    }
    emitEvent("done", done);
  }

 private:
  void scoreRecord(size_t index) {
    const ScoreConfig& score = *config_.score;
    const std::vector<const Record*> records = {&config_.records[index]};
    const PackedBatch batch = packRecords(records, true);
    const bool withGradient = score.gradientLoss.has_value();
    Forward policy = network_->forward(batch, adapter_.get(), withGradient);
    // Without adapters both are the base model.
    const bool same = adapter_ == nullptr && reference_ == nullptr;
    const Forward frozen = same ? policy : network_->forward(batch, reference_.get(), false);
    RecordSums sums = collectSums(batch, policy.values, records).front();
    const RecordSums reference = collectSums(batch, frozen.values, records).front();
    attachReference(sums, reference);
    Event event = {{"index", index},
                   {"prompt", sumEvent(sums.prompt)},
                   {"chosen", sumEvent(sums.chosen)},
                   {"rejected", sumEvent(sums.rejected)},
                   {"reference",
                    {{"prompt", sumEvent(reference.prompt)},
                     {"chosen", sumEvent(reference.chosen)},
                     {"rejected", sumEvent(reference.rejected)}}},
                   {"losses", lossEvents(config_.losses, sums)}};
    if (score.perToken) {
      event["perToken"] = perTokenEvent(batch, policy.values);
      event["reference"]["perToken"] = perTokenEvent(batch, frozen.values);
    }
    emitEvent("score", event);
    if (withGradient) {
      const auto outcomes = computeLosses(*score.gradientLoss, config_.losses, {sums});
      const double share = 1.0 / static_cast<double>(config_.records.size());
      network_->backward(batch, *adapter_, policy, labelWeights(batch, outcomes, share));
    }
  }

  const Config& config_;
  Backend backend_;
  Model model_;
  std::unique_ptr<Adapter> adapter_;
  std::unique_ptr<Adapter> reference_;
  std::unique_ptr<Network> network_;
  size_t scored_ = 0;
};

}  // namespace

void runScore(const Config& config) {
  Scorer(config).run();
}

}  // namespace preflexor
